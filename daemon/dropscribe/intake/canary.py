"""Whether the events of a mount are to be believed, shown by files that we make there ourselves; pure.

No flag of watchdog and no error of the kernel tells that events have ceased to come, or never came: only an event
that must come does. All times are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

PREFIX = ".dropscribe-canary-"
"""How the names of canaries begin: hidden, ours, and swept away where a stop left one."""

PATIENCE = 5.0
"""An event takes milliseconds, 14 at most on a quiet machine; this is for a machine that is not."""

MISSES = 2
"""Canaries in a row that are not heard before events are no longer believed: a first one may have been lost in an
overflow of the kernel's queue, or not been read yet when this process had been halted."""

EVERY = 3600.0
"""How long events are believed that have been proved. The next proof waits for the next arrival: where nothing
comes nothing can be late, and a disk can sleep that an idle daemon writes nothing to."""

SUSPECT = 60.0
"""The same once a look by the clock has found what no bell had rung for. It may have come in that very moment."""

AGAIN = 60.0
"""The first wait between two tries where events are not believed; each further one is twice as long, up to EVERY."""

OFTEN = 10.0
"""Seconds between two looks where events are missing, as on shares: ten thousand names cost 10 ms of them."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What canaries have shown of one mount.

    `names` are those in flight, which have to be heard before `until`. `next_at`: when the next are due; None
    when something has to arrive first.
    """

    deaf: bool = False
    misses: int = 0
    names: frozenset[str] = frozenset()
    until: float = inf
    last: float = -inf
    next_at: float | None = -inf


def is_due(proof: Proof, now: float) -> bool:
    """Whether canaries are to be dropped."""
    return not proof.names and proof.next_at is not None and proof.next_at <= now


def dropped(proof: Proof, names: Collection[str], now: float) -> Proof:
    """Canaries of these names have just been dropped; none where no file could be made, which proves nothing."""
    if not names:
        return replace(proof, next_at=now + AGAIN)
    return replace(proof, names=frozenset(names), until=now + PATIENCE, last=now)


def judged(proof: Proof, heard: Collection[str], now: float) -> Proof:
    """What it proves that the canaries `heard` have been, by `now`."""
    if not proof.names:
        return proof
    if proof.names <= frozenset(heard):
        return Proof(last=proof.last, next_at=None)
    if now < proof.until:
        return proof
    misses = proof.misses + 1
    wait = 0.0 if misses < MISSES else min(EVERY, AGAIN * 2 ** min(misses - MISSES, 10))
    return Proof(misses >= MISSES, misses, last=proof.last, next_at=now + wait)


def arrived(proof: Proof, *, rung: bool) -> Proof:
    """Something new was found there, after the bell had rung or by the clock alone."""
    if proof.names or proof.misses:
        return proof
    next_at = proof.last + (EVERY if rung else SUSPECT)
    return replace(proof, next_at=next_at if proof.next_at is None else min(next_at, proof.next_at))


def anew(proof: Proof) -> Proof:
    """Other folders are listened to there: what was proved of those before says nothing of them."""
    return replace(proof, names=frozenset(), until=inf, next_at=-inf)


def wake_at(proof: Proof) -> float | None:
    """When there is something to do or to judge by itself; None if never."""
    return proof.until if proof.names else proof.next_at
