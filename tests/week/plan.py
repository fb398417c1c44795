"""What befalls the daemon, from a seed alone; pure. Times are seconds since the start."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOUR = 3600.0
DAY = 24 * HOUR

READABLE = frozenset({"good", "slow", "bad first", "in pieces"})
REASONS = {
    "breaks the decoder": "decoding it broke down 3 times",
    "kills the runner": "the program that runs .* on the server died",
    "always empty": "the model's answer was empty",
    "garbage": "not a picture|no picture|unknown|not.*format|cannot be read|is not",
    "cut short": "ends early|incomplete|end",
    "empty": "empty",
    "link": "link",
}
"""What the reason file of each kind of scan that cannot be read has to say."""

HARD = frozenset({"refused", "away", "silent", "restarting"})
"""Troubles in which a host answers nothing at all."""

HOST_WORDS = {
    "refused": "refuses connections",
    "restarting": "refuses connections|broke off",
    "away": "does not answer",
    "silent": "sent nothing|fell silent",
    "queue full": "queue is full",
    "no memory": "too little memory",
    "model removed": "not installed",
}
"""What the status has to say of a host, or of the inboxes that it serves, during a trouble of this kind."""

WORLD_WORDS = {
    "disk full": "the disk is (nearly )?full",
    "share away": "does not exist",
    "share emptied": "does not exist",
}


@dataclass(frozen=True)
class Arrival:
    at: float
    inbox: str
    name: str
    number: int  # its mark; 0 for what has none
    kind: str = "good"


@dataclass(frozen=True)
class Trouble:
    """`what`: a host, an inbox whose root goes away, or a disk: state or shelf."""

    start: float
    end: float
    kind: str
    what: str

    def during(self, at: float) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True)
class Server:
    """A host that answers `parallel` requests at once, each after `fastest` to `slowest` seconds."""

    name: str
    parallel: int = 1
    fastest: float = 15.0
    slowest: float = 60.0


@dataclass(frozen=True)
class Box:
    """An inbox; `shelf`: its done/ and failed/ lie on another disk. `heard`: most arrivals ring the bell."""

    name: str
    rescan: float = 600.0
    shelf: bool = False
    heard: bool = True


@dataclass(frozen=True)
class Plan:
    seed: int
    seconds: float
    servers: Sequence[Server]
    boxes: Sequence[Box]
    arrivals: Sequence[Arrival]
    troubles: Sequence[Trouble] = ()

    @property
    def end_of_troubles(self) -> float:
        return max((trouble.end for trouble in self.troubles), default=0.0)


SERVERS = (Server("http://first:11434", parallel=2), Server("http://second:11434", slowest=90.0))
BOXES = (
    Box("letters"),
    Box("receipts", shelf=True),
    Box("share", rescan=120.0, heard=False),
)


def random_arrivals(
    draw: random.Random,
    count: int,
    seconds: float,
    boxes: Sequence[Box],
    *,
    first: int = 1,
    bad: float = 0.01,
) -> Iterator[Arrival]:
    """`count` scans at random times in bursts, in any inbox; of each bad kind a share of `bad` of them."""
    bads = sorted(REASONS)
    number = first
    while number < first + count:
        at, box = draw.uniform(0, seconds), draw.choice(boxes)
        for _ in range(min(draw.choice((1, 1, 2, 3, 8)), first + count - number)):
            kind = draw.choices(
                ("good", "slow", "bad first", "in pieces", *bads),
                (1 - 0.08 - bad * len(bads), 0.02, 0.03, 0.03, *[bad] * len(bads)),
            )[0]
            if kind == "link" and box.shelf:
                kind = "garbage"  # a link is never copied, so it would be kept back for ever
            yield Arrival(at, box.name, _name(draw, number, kind), number, kind)
            at += draw.uniform(0.5, 20.0)
            number += 1


def _name(draw: random.Random, number: int, kind: str) -> str:
    # A scanner whose counter begins anew uses names again; an empty scan has nothing else to be known by.
    stem = f"scan{draw.randrange(40):04}" if draw.random() < 0.2 and kind != "empty" else f"s{number:06}"
    return f"{stem}-{kind.replace(' ', '_')}.png" if kind not in READABLE else f"{stem}.png"


def week(seed: int, scans: int = 5000) -> Plan:
    """Seven days with everything in them that has a name in this module, at times of its own."""
    draw = random.Random(seed)
    one, two = (server.name for server in SERVERS)
    hosts = [
        *_at_once(0.50, 8.0, "refused", one, two),  # a night
        Trouble(1.10 * DAY, 1.10 * DAY + 3 * HOUR, "away", one),
        Trouble(1.15 * DAY, 1.15 * DAY + 2 * HOUR, "silent", two),
        *_at_once(1.60, 3.0, "queue full", one, two),
        Trouble(2.00 * DAY, 2.00 * DAY + 4 * HOUR, "model removed", one),
        *_at_once(2.40, 3.0, "model removed", one, two),
        *_at_once(3.10, 3.0, "no memory", one, two),
        *(Trouble(t * DAY, t * DAY + 60, "restarting", one) for t in (3.5, 3.52, 3.54, 3.56, 3.9, 4.02)),
        Trouble(4.20 * DAY, 4.20 * DAY + 1 * HOUR, "silent", one),
        *_at_once(5.70, 2.0, "away", one, two),
        *(Trouble(t * DAY, t * DAY + 90, "restarting", two) for t in (6.1, 6.2, 6.3)),
    ]
    world = [
        Trouble(2.70 * DAY, 2.70 * DAY + 2 * HOUR, "disk full", "shelf"),
        Trouble(4.50 * DAY, 4.50 * DAY + 1.5 * HOUR, "disk full", "state"),
        Trouble(5.00 * DAY, 5.00 * DAY + 2 * HOUR, "share away", "share"),
        Trouble(5.30 * DAY, 5.30 * DAY + 1 * HOUR, "share emptied", "share"),
    ]
    backlog = scans // 5
    arrivals = [
        *random_arrivals(draw, scans - backlog, 7 * DAY, BOXES),
        # Everything that somebody had in a drawer, at once.
        *(
            Arrival(6.4 * DAY + n / 100, "letters", f"drawer{n:04}.png", scans - backlog + 1 + n)
            for n in range(backlog)
        ),
    ]
    return Plan(seed, 7 * DAY, SERVERS, BOXES, sorted(arrivals, key=lambda a: a.at), (*hosts, *world))


def _at_once(day: float, hours: float, kind: str, *hosts: str) -> Iterator[Trouble]:
    for host in hosts:
        yield Trouble(day * DAY, day * DAY + hours * HOUR, kind, host)


def day(seed: int, scans: int = 700) -> Plan:
    """A day with anything at any time."""
    draw = random.Random(seed)
    troubles: list[Trouble] = []
    for server in SERVERS:
        at = draw.expovariate(1 / HOUR)
        while at < 0.9 * DAY:
            kind = draw.choice(sorted(HOST_WORDS))
            lasts = 60.0 if kind == "restarting" else min(draw.expovariate(1 / HOUR), 6 * HOUR) + 1
            troubles.append(Trouble(at, min(at + lasts, DAY), kind, server.name))
            at += lasts + draw.expovariate(1 / (1.5 * HOUR))
    for what, kinds in (
        ("shelf", ["disk full"]),
        ("state", ["disk full"]),
        ("share", ["share away", "share emptied"]),
    ):
        at = draw.uniform(0, 0.5 * DAY)
        while at < 0.9 * DAY:
            lasts = draw.uniform(1, 2 * HOUR)
            troubles.append(Trouble(at, min(at + lasts, DAY), draw.choice(kinds), what))
            at += lasts + draw.uniform(60, 0.6 * DAY)
    arrivals = sorted(random_arrivals(draw, scans, 0.95 * DAY, BOXES, bad=0.012), key=lambda a: a.at)
    return Plan(seed, DAY, SERVERS, BOXES, arrivals, sorted(troubles, key=lambda t: t.start))


# --- small ones, each for one question

LONE = Server("http://only:11434", fastest=20.0, slowest=30.0)


def backlog(seed: int) -> Plan:
    """A thousand scans at once in one inbox, and every ten minutes one in each of two others."""
    boxes = (Box("drawer"), Box("letters"), Box("receipts", shelf=True))
    drawer = [Arrival(n / 1000, "drawer", f"d{n:04}.png", n + 1) for n in range(1000)]
    others = [
        Arrival(60 + 600.0 * n, box, f"{box}{n}.png", 2000 + 2 * n + which)
        for n in range(36)
        for which, box in enumerate(("letters", "receipts"))
    ]
    arrivals = sorted([*drawer, *others], key=lambda arrival: arrival.at)
    return Plan(seed, 9 * HOUR, (LONE,), boxes, arrivals)


POISONS = ("kills the runner", "breaks the decoder", "always empty")


def poisoned(seed: int) -> Plan:
    """A busy evening in one inbox, with three scans that cannot be read, hours apart."""
    arrivals = [
        *_evening(seed),
        *(
            Arrival((1 + n) * HOUR, "letters", f"poison{n}.png", 900 + n, kind)
            for n, kind in enumerate(POISONS)
        ),
    ]
    return Plan(seed, 5 * HOUR, (LONE,), BOXES[:1], sorted(arrivals, key=lambda arrival: arrival.at))


def unpoisoned(seed: int) -> Plan:
    """The same evening without them."""
    return Plan(seed, 5 * HOUR, (LONE,), BOXES[:1], sorted(_evening(seed), key=lambda arrival: arrival.at))


def _evening(seed: int) -> list[Arrival]:
    draw = random.Random(seed)
    return [
        Arrival(50.0 * number + draw.uniform(0, 20), "letters", f"s{number:04}.png", number)
        for number in range(1, 301)
    ]
