"""Who is read next, where, and when a host that failed is tried again; pure.

Times are seconds of the monotonic clock. Randomness comes in as `draw`, a number from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST_REST = 2.0
LONGEST_REST = 300.0
PARK_CHECK = 60.0
"""Seconds between two looks at whether a misconfigured model has been mended."""
FIRST_HOLD = 30.0
LONGEST_PARK = 1800.0
WORLD_CHECK = 10.0
"""Seconds between two looks at whether a disk or share that was away is back."""


@dataclass(frozen=True, slots=True)
class Host:
    """One host with room for `parallel` requests; `failures` in a row, after which it rests until `rests_until`."""

    name: str
    engine: str
    parallel: int = 1
    busy: int = 0
    failures: int = 0
    rests_until: float = 0.0
    resting_since: float = 0.0
    suspicious: bool = False  # the last failure may have been the scan's fault
    while_reading: bool = False  # the last failure came with a picture, which no look at the model disproves
    reason: str = ""
    fix: str = ""

    @property
    def well(self) -> bool:
        return self.failures == 0

    def room(self, now: float, *, careful: bool = False) -> int:
        """How many more requests it may be given; one at a time until it has answered after a failure.

        `careful`: one at a time also when it is well.
        """
        if now < self.rests_until:
            return 0
        return max(0, (self.parallel if self.well and not careful else 1) - self.busy)


@dataclass(frozen=True, slots=True)
class Line:
    """The scans of one inbox that are ready, and the hosts that may read them, in order of preference."""

    inbox: str
    waiting: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """The next scan of `inbox` goes to `host`; `probe` it first, because it failed last time."""

    inbox: str
    host: str
    probe: bool


def assign(
    lines: Sequence[Line],
    hosts: Mapping[str, Host],
    now: float,
    last_inbox: str = "",
    *,
    careful: bool = False,
) -> tuple[Pick, ...]:
    """As many picks as there is room for; inboxes take turns, beginning after `last_inbox`.

    `lines`: of all inboxes, always in the same order, or else the turns begin anew whenever one has been emptied.
    `careful`: a scan is among them that may have ended its host, so no host reads it beside another one, which
    would be suspected with it each time.
    """
    room = {name: host.room(now, careful=careful) for name, host in hosts.items()}
    waiting = {line.inbox: line.waiting for line in lines}
    turns = _after(last_inbox, lines)
    picks: list[Pick] = []
    while True:
        before = len(picks)
        for line in turns:
            host = _roomiest(line.hosts, room) if waiting[line.inbox] else None
            if host is None:
                continue
            room[host] -= 1
            waiting[line.inbox] -= 1
            picks.append(Pick(line.inbox, host, probe=not hosts[host].well))
        if len(picks) == before:
            return tuple(picks)


def _after(last: str, lines: Sequence[Line]) -> list[Line]:
    names = [line.inbox for line in lines]
    start = names.index(last) + 1 if last in names else 0
    return [*lines[start:], *lines[:start]]


def _roomiest(names: Sequence[str], room: Mapping[str, int]) -> str | None:
    free = [name for name in names if room.get(name, 0) > 0]
    # max() keeps the first of equals: the order of the config decides between equally free hosts.
    return max(free, key=lambda name: room[name], default=None)


def took(host: Host) -> Host:
    return replace(host, busy=host.busy + 1)


def released(host: Host) -> Host:
    return replace(host, busy=max(0, host.busy - 1))


def answered(host: Host) -> Host:
    """It works: all its room is open again."""
    return Host(host.name, host.engine, host.parallel, host.busy)


def failed(
    host: Host,
    now: float,
    reason: str,
    fix: str = "",
    *,
    draw: float,
    suspicious: bool = False,
    while_reading: bool = False,
    at_least: float = 0.0,
) -> Host:
    """It rests twice as long after each failure in a row, from 2 s to 5 min, a fifth more or less by `draw`.

    `at_least`: seconds that the host itself asked for.

    Requests that were under way together fail together: within one rest they count once.
    """
    if now < host.rests_until:
        return replace(host, suspicious=host.suspicious or suspicious)
    failures = host.failures + 1
    rest = max(at_least, FIRST_REST * 2 ** min(failures - 1, 16) * (0.8 + 0.4 * draw))
    return replace(
        host,
        failures=failures,
        rests_until=now + min(rest, LONGEST_REST),
        resting_since=host.resting_since or now,
        suspicious=suspicious,
        while_reading=while_reading,
        reason=reason,
        fix=fix,
    )


def parked_for(times: int) -> float:
    """Seconds until a picture is sent again after the same refusal `times` in a row: 1, 2, 4 … 30 minutes."""
    return min(PARK_CHECK * 2.0 ** min(times - 1, 16), LONGEST_PARK)


def held_for(times: int) -> float:
    """Seconds until a scan that could not be moved `times` in a row is taken up again: 30 s to 30 min."""
    return min(FIRST_HOLD * 2.0 ** min(times - 1, 16), LONGEST_PARK)


def next_wake(hosts: Sequence[Host], now: float) -> float | None:
    """When the first resting host may be tried again, or None."""
    return min((host.rests_until for host in hosts if host.rests_until > now), default=None)
