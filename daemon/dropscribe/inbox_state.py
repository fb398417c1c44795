"""What the daemon knows of one inbox between two looks; used by the main thread alone."""

from __future__ import annotations

import heapq
import os
import time
from collections import Counter, deque
from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from dropscribe.desk import Waiting
from dropscribe.intake.look import LookRules, look, scans_in
from dropscribe.intake.settle import Settling, quiet_time, settle, unchanged_since, unsettle
from dropscribe.learned import Learned
from dropscribe.obstacles import Obstacle, Parked
from dropscribe.schedule import WORLD_CHECK, held_for
from dropscribe.values import Fingerprint
from dropscribe.verify import verdict_of, verdict_of_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from dropscribe.config.values import Inbox
    from dropscribe.desk import Filed
    from dropscribe.errors import Failure, Unsupported, WorldWrong
    from dropscribe.intake.look import Look
    from dropscribe.ledger import Kind
    from dropscribe.values import Gap

_RESCAN = 60.0
_RESCAN_NETWORK = 10.0
NAMED = 50
"""Scans that are named in a status; the counts are always of all."""


def rescan_of(inbox: Inbox, *, network: bool) -> float:
    """Seconds between two looks that nothing rang for."""
    return inbox.rescan or (_RESCAN_NETWORK if network else _RESCAN)


@dataclass(slots=True)
class InboxState:
    """One inbox at run time; monotonic times unless said otherwise."""

    rules: Inbox
    look_rules: LookRules
    network: bool
    rescan: float
    away: bool = False  # at the start, and nothing was made for it since
    settling: Settling = field(default_factory=Settling)
    seen: Look | None = None
    next_look: float = 0.0
    parked: Parked | None = None
    obstacles: dict[str, Obstacle] = field(default_factory=dict)
    overcome: dict[str, Obstacle] = field(default_factory=dict)  # and no scan was read there since
    reading: dict[str, Fingerprint] = field(default_factory=dict)
    held: dict[str, Unsupported] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)  # their last reading may have ended its host
    watch: str = ""
    often: float | None = None  # seconds between two looks while events are missing
    notes: dict[str, Failure] = field(default_factory=dict)
    ended: Counter[Kind] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)  # by what the second reader found
    doubted: deque[str] = field(default_factory=partial(deque, maxlen=NAMED))
    to_review: int = 0
    _ready: list[tuple[int, int, str]] = field(default_factory=list)
    queued: set[str] = field(default_factory=set)
    later: dict[str, float] = field(default_factory=dict)
    _deaths: dict[str, int] = field(default_factory=dict)
    kept_back: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    page_of: Callable[[str], str] = field(default=lambda _: "")
    claim: Callable[[], None] = field(default=lambda: None)
    why_unverified: Callable[[], str] = field(default=lambda: "")
    gaps: InitVar[Mapping[str, Gap] | None] = None
    learned: Learned = field(init=False)

    def __post_init__(self, gaps: Mapping[str, Gap] | None) -> None:
        # Who sets a quiet time gets just that: nothing is learned over it.
        awake = self.rules.settle is None
        self.learned = Learned(self._unlearned_quiet, awake, dict(gaps or {}) if awake else {})

    @property
    def name(self) -> str:
        return self.rules.name

    # --- looking

    def begin_anew(self, *, network: bool) -> None:
        """What lies there now is not what lay there at the start."""
        self.network = network
        self.rescan = rescan_of(self.rules, network=network)
        self.away = False

    def look(self, now: float, clock: Callable[[], float] | None = None) -> None:
        """Take the listing as the truth. Raises WorldWrong where there is none.

        `clock` tells when it was over; without one, it takes no time.
        """
        self.next_look = now + (self.often or self.rescan)
        self.seen = look(self.rules.path, self.look_rules, _Known(self))
        before = self.settling
        self.settling = settle(
            before,
            self.seen.seen,
            now,
            self.learned.wait_for,
            ended=clock() if clock else now,
            give_up=self.rules.give_up_arriving,
        )
        self.to_review = scans_in(self.rules.review) if self.rules.on_check == "review" else 0
        self.gone.clear()
        self._forget_what_left()
        for name, fingerprint in self.settling.settled.items():
            if not any(name in those for those in (self.queued, self.later, self.reading, self.held)):
                self._enqueue(name, fingerprint)
        self._look_by(self.settling.look_again_at)
        self._look_by(self.learned.look(before, self.settling, self.reading, now))

    def _forget_what_left(self) -> None:
        settled, arriving = self.settling.settled, self.settling.arriving
        self.queued.intersection_update(settled)
        self.suspects.intersection_update(settled.keys() | self.reading.keys())
        for name in [name for name in self.held if name not in settled]:
            del self.held[name]
        for name in [name for name in self.later if name not in settled]:
            del self.later[name]
        for name in [name for name in self.kept_back if name not in settled]:
            del self.kept_back[name]
        for name in [name for name in self.notes if name not in settled and name not in arriving]:
            del self.notes[name]

    def _look_by(self, when: float | None) -> None:
        if when is not None:
            self.next_look = min(self.next_look, when)

    def look_often(self, seconds: float | None, now: float) -> None:
        """Look every so many seconds for what events should have told; None: they tell it."""
        self.often = seconds
        self._look_by(None if seconds is None else now + seconds)

    def _unlearned_quiet(self, name: str) -> float:
        return quiet_time(name, settle=self.rules.settle, network=self.network)

    # --- waiting

    def _enqueue(self, name: str, fingerprint: Fingerprint) -> None:
        self.queued.add(name)
        # A scan during which the process died goes last, so that it cannot hold up the others.
        heapq.heappush(self._ready, (self._deaths.get(name, 0), fingerprint.mtime_ns, name))

    def keep_back(self, name: str, why: Failure, now: float) -> float:
        """It could not be moved though its inbox is well: the seconds, more each time, until it is tried again."""
        self.kept_back[name] = self.kept_back.get(name, 0) + 1
        seconds = held_for(self.kept_back[name])
        self.notes[name] = why
        self.postpone(name, now + seconds)
        return seconds

    def postpone(self, name: str, until: float) -> None:
        """Not before `until`, and behind all others then."""
        del self.reading[name]
        self._deaths[name] = self._deaths.get(name, 0) + 1
        if name in self.settling.settled:
            self.later[name] = until

    def wake_postponed(self, now: float) -> float | None:
        """Queue what was postponed and is due; when the next one is."""
        for name in [name for name, until in self.later.items() if until <= now]:
            del self.later[name]
            self._enqueue(name, self.settling.settled[name])
        return min(self.later.values(), default=None)

    @property
    def waiting(self) -> int:
        return len(self.queued)

    def suspect_is_due(self, hosts: Collection[str]) -> bool:
        """Whether a suspect is being read, or may be next; `hosts` are those that can read for this inbox."""
        may_be_next = hosts and not self.parked
        return any(name in self.reading or (may_be_next and name in self.queued) for name in self.suspects)

    def next_scan(self) -> tuple[str, Fingerprint] | None:
        """The oldest scan that is ready, now being read."""
        while self._ready:
            _, _, name = heapq.heappop(self._ready)
            fingerprint = self.settling.settled.get(name)
            if name in self.queued and fingerprint is not None:
                self.queued.discard(name)
                self.reading[name] = fingerprint
                self.learned.taken_up(name)
                return name, fingerprint
        return None

    # --- what became of a scan

    def found(self, filed: Filed) -> None:
        """What the second reader found of a scan; one that went to review is counted until the next look does."""
        self.pages.update(filter(None, map(verdict_of, filed.pages)))
        if verdict_of_scan(filed.pages) != "check":
            return
        if self.rules.on_check == "review":
            self.to_review += 1
        else:
            below = self.rules.path in filed.where.parents
            self.doubted.append(str(filed.where.relative_to(self.rules.path) if below else filed.where))

    def put_back(self, name: str) -> None:
        fingerprint = self.reading.pop(name)
        if self.settling.settled.get(name) == fingerprint:
            self._enqueue(name, fingerprint)

    def done_with(self, name: str, now: float) -> None:
        """It left the inbox; a newcomer of the same name is a new scan, whose bell may have rung before this."""
        if os.path.lexists(self.rules.path / name):
            self.next_look = now
        self.reading.pop(name)
        self.suspects.discard(name)
        self.notes.pop(name, None)
        self.kept_back.pop(name, None)
        self.gone.add(name)

    def withdrawn(self, name: str, now: float) -> None:
        """It changed or went away while it was read."""
        if os.path.lexists(self.rules.path / name):
            self.learned.given_up(name, self.reading[name])
        self.done_with(name, now)

    def nothing(self) -> Waiting:
        """No scan, for work that only needs the inbox's rules."""
        return Waiting(self.rules, "", Fingerprint(0, 0, 0, 0, 0), young=True, local=not self.network)

    def hold(self, name: str, why: Unsupported) -> None:
        self.reading.pop(name)
        self.held[name] = why

    def not_yet(self, name: str, why: Failure, now: float) -> None:
        fingerprint = self.reading.pop(name)
        self.notes[name] = why
        self.settling = unsettle(self.settling, name, now, fingerprint)
        self._look_by(self.settling.look_again_at)

    def is_young(self, name: str, now: float) -> bool:
        """Whether a file that is not complete may still be arriving."""
        settled = self.settling.settled.get(name) or self.reading.get(name)
        if settled is not None and not settled.size:  # it was given up: nothing else lets an empty one settle
            return False
        since = unchanged_since(self.settling, name)
        return since is None or now < since + self.rules.give_up_arriving

    # --- parked

    def park(self, failure: WorldWrong, now: float) -> bool:
        """True if that is news."""
        known = self.parked
        since = known.since if known else time.time()
        self.parked = Parked(failure.reason, failure.fix, since, now + WORLD_CHECK)
        return known is None or known.reason != failure.reason

    def usable_hosts(self, hosts: Iterable[str]) -> tuple[str, ...]:
        return tuple(host for host in hosts if host not in self.obstacles)


class _Known:
    """The names that need no stat: settled, not just filed, and not held for a format that a change may mend.

    A scan that is being read is looked at: it is cheap for the few, and tells when more of it has come.
    """

    def __init__(self, state: InboxState) -> None:
        self._settled = state.settling.settled
        self._but = state.held.keys() | state.gone | state.reading.keys()

    def __contains__(self, name: object) -> bool:
        return name in self._settled and name not in self._but
