"""One pass: take in what the slots did, look, settle, schedule, hand out; used by the main thread alone."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dropscribe import __version__, log, schedule
from dropscribe.away import begin_if_back
from dropscribe.desk import Waiting
from dropscribe.errors import (
    Failure,
    Misconfigured,
    NotYet,
    Stopped,
    Unavailable,
    Unsupported,
    Withdrawn,
    WorldWrong,
)
from dropscribe.hosts import Hosts
from dropscribe.inbox_status import status_of
from dropscribe.jobs import Job
from dropscribe.model_looks import ModelLooks
from dropscribe.status import Status
from dropscribe.today import Today
from dropscribe.watching import Watching
from dropscribe.world import check_space, check_world

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dropscribe.inbox_state import InboxState
    from dropscribe.jobs import Hands, Result, Watch
    from dropscribe.ledger import Ledger
    from dropscribe.recovery import Recovery

_SURPRISE_REST = 30.0  # seconds before a scan is taken up again after an error that nobody foresaw
_LOOK_SHARE = 4  # looking may take one part in five of the time: a flood of events must not become all we do
_LONGEST_SLEEP = 3600.0


class Reconciler:
    """Brings what is in the inboxes to where it belongs, one pass at a time."""

    def __init__(
        self,
        inboxes: Sequence[InboxState],
        hosts: Sequence[schedule.Host],
        ledger: Ledger,
        hands: Hands,
        watch: Watch,
        state_folder: Path,
        recovery: Recovery,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`clock` tells how late it has become during a pass; without one, passes take no time."""
        self.inboxes = {state.name: state for state in inboxes}
        self.hosts = Hosts(hosts, ledger)
        self._ledger = ledger
        self._hands = hands
        self._model_looks = ModelLooks(self.hosts, hands)
        self._watching = Watching(watch)
        self._state_folder = state_folder
        self._recovery = recovery
        self._clock = clock
        self._last_inbox = ""
        self._look_from = 0.0
        self._rung = False
        self._started = time.time()
        self._today = Today(ledger, self.inboxes)
        self.snapshot = self._status()

    def step(self, now: float, *, rung: bool, stopping: bool = False) -> float:
        """One pass at `now`; the seconds until there is something to do by itself."""
        for result in self._hands.results():
            self._take_in(result, now)
        self._rung = self._rung or rung
        if not stopping:
            if self._recovery.look(now):
                self._today.ask_again()
            self._look(now)
            self._watching.step(self.inboxes, now)
            self._keep_what_was_learned()
            self._hand_out(now)
        self.snapshot = self._status()
        return max(0.0, self._wake_at(now) - now)

    @property
    def in_hand(self) -> int:
        return sum(host.busy for host in self.hosts.by_name.values())

    # --- looking

    def _look(self, now: float) -> None:
        began = time.monotonic()
        rung = self._rung and now >= self._look_from
        for state in self.inboxes.values():
            if state.parked is not None and now < state.parked.check_at:
                continue
            if rung or now >= state.next_look or state.parked is not None:
                self._look_at(state, now)
        if rung:
            self._rung = False
            self._look_from = now + _LOOK_SHARE * (time.monotonic() - began)

    def _look_at(self, state: InboxState, now: float) -> None:
        before, known = state.settling, state.seen
        try:
            if state.parked is not None or known is None:
                begin_if_back(state)
                self._check_world(state)
            state.look(now, self._clock)
            assert state.seen is not None
            if known is not None and known.identity != state.seen.identity:
                # Where a share was unmounted lies an empty folder, in which nothing will ever arrive.
                self._check_world(state)
        except WorldWrong as wrong:
            self._park(state, wrong, now)
            return
        if state.parked is not None:
            log.step("resumed", inbox=state.name, after=state.parked.reason)
            state.parked = None
        settled = state.settling.settled.keys() - before.settled.keys()
        for name in sorted(settled):
            log.step("settled", inbox=state.name, scan=name)
        news = (state.settling.arriving.keys() | settled) - before.arriving.keys()
        self._watching.keep(state, now, rung=self._rung, news=bool(news))

    def _check_world(self, state: InboxState) -> None:
        check_world(state.rules, self._state_folder, self._ledger)
        self._recovery.write_rows(state.rules)

    def _keep_what_was_learned(self) -> None:
        for state in self.inboxes.values():
            for kind, gap in state.learned.take_news().items():
                waits = round(state.learned.wait_for(f"x.{kind}"), 1)
                log.step(
                    "learned to wait", inbox=state.name, format=kind, gap=round(gap.seconds, 1), waits=waits
                )
                with suppress(WorldWrong):  # it is known until the end of this process, and learned again
                    self._ledger.keep_gap(state.name, kind, gap)

    def _park(self, state: InboxState, wrong: WorldWrong, now: float) -> None:
        if state.park(wrong, now):
            log.step("parked", level="warning", inbox=state.name, reason=wrong.reason, fix=wrong.fix)

    # --- handing out

    def _hand_out(self, now: float) -> None:
        for state in self.inboxes.values():
            state.wake_postponed(now)
            self._model_looks.hand_out(state, now)
        # Those with nothing to read too: whose turn comes after one of them must not be forgotten.
        lines = [self._line(state, now) for state in self.inboxes.values()]
        careful = any(
            state.suspect_is_due(state.usable_hosts(self.hosts.running(state.rules.engine)))
            for state in self.inboxes.values()
        )
        for pick in schedule.assign(lines, self.hosts.by_name, now, self._last_inbox, careful=careful):
            self._last_inbox = pick.inbox
            self._give(self.inboxes[pick.inbox], pick, now)

    def _line(self, state: InboxState, now: float) -> schedule.Line:
        nothing = schedule.Line(state.name, 0, ())
        if state.parked is not None or not state.waiting:
            return nothing
        hosts = state.usable_hosts(self.hosts.running(state.rules.engine))
        if not any(self.hosts[name].room(now) for name in hosts):
            return nothing
        try:
            check_space(state.rules, self._state_folder)
        except WorldWrong as wrong:
            self._park(state, wrong, now)
            return nothing
        return schedule.Line(state.name, state.waiting, hosts)

    def _give(self, state: InboxState, pick: schedule.Pick, now: float) -> None:
        found = state.next_scan()
        if found is None:
            return
        name, fingerprint = found
        host = self.hosts[pick.host]
        scan = Waiting(state.rules, name, fingerprint, state.is_young(name, now), not state.network)
        evidence = self.hosts.evidence(host.name)
        self.hosts.took(host.name)
        self._hands.give(Job(scan, host.name, probe=pick.probe, deep=host.suspicious, evidence=evidence))

    # --- what became of it

    def _take_in(self, result: Result, now: float) -> None:
        job, state = result.job, self.inboxes[result.job.scan.inbox.name]
        self.hosts.released(job.host)
        fell_over = isinstance(result.error, Unavailable)
        if (result.proven and job.deep) or (result.answered and not fell_over):
            self.hosts.answered(job.host)
        elif result.proven and not fell_over:
            self.hosts.looked_well(job.host)
        if job.check:
            self._model_looks.took_in(state, result, now)
        elif result.filed:
            state.ended[result.filed.kind] += 1
            state.found(result.filed)
            self._today.ended(state.name, result.filed.kind)
            if result.filed.kind == "done":
                state.learned.filed(job.scan.name, job.scan.fingerprint, result.filed.pages)
                state.overcome.pop(job.host, None)
            state.done_with(job.scan.name, now)
            if result.filed.owes is not None:
                self._recovery.again(now)
                self._park(state, result.filed.owes, now)
        else:
            self._ended_by(state, result, now)

    def _ended_by(self, state: InboxState, result: Result, now: float) -> None:
        name = result.job.scan.name
        match result.error:
            case Unsupported() as why:
                state.hold(name, why)
                log.step("unsupported", inbox=state.name, scan=name, reason=why.reason)
            case NotYet() as why:
                state.not_yet(name, why, now)
                log.step("not yet", inbox=state.name, scan=name, reason=why.reason)
            case Withdrawn():
                state.withdrawn(name, now)
                log.step("withdrawn", inbox=state.name, scan=name)
            case Stopped():
                state.put_back(name)
            case WorldWrong() as wrong:
                self._went_wrong(state, name, wrong, now)
            case Failure() as failure:
                state.put_back(name)
                if isinstance(failure, Unavailable) and failure.evidence is not None:
                    state.suspects.add(name)
                self._failed(state, result, failure, now)
            case _:
                state.postpone(name, now + _SURPRISE_REST)

    def _went_wrong(self, state: InboxState, name: str, wrong: WorldWrong, now: float) -> None:
        """Either the world is, which a look at it shows, or this one scan cannot be taken up or moved."""
        self._recovery.again(now)
        try:
            self._check_world(state)
        except WorldWrong as world:
            state.put_back(name)
            self._park(state, world, now)
            return
        seconds = state.keep_back(name, wrong, now)
        log.step(
            "kept back",
            level="warning",
            inbox=state.name,
            scan=name,
            reason=wrong.reason,
            fix=wrong.fix,
            seconds=round(seconds),
        )

    def _failed(self, state: InboxState, result: Result, failure: Failure, now: float) -> None:
        match failure:
            case Unavailable():
                while_reading = result.proven or not result.job.probe
                self.hosts.failed(result.job.host, failure, now, while_reading=while_reading)
            case Misconfigured():
                self.hosts.answered(result.job.host)
                self._model_looks.obstruct(state, result, failure, now)
            case _:
                raise AssertionError(f"{failure!r} should have been filed")

    # --- time and status

    def _wake_at(self, now: float) -> float:
        times = [now + _LONGEST_SLEEP]
        waiting = False
        for state in self.inboxes.values():
            if state.parked is not None:
                times.append(state.parked.check_at)
                continue
            times.append(max(state.next_look, now))
            times.extend(self._model_looks.due(state, now))
            if (later := state.wake_postponed(now)) is not None:
                times.append(later)
            waiting = waiting or bool(state.waiting)
        if waiting and (wake := schedule.next_wake(list(self.hosts.by_name.values()), now)) is not None:
            times.append(wake)
        if self._rung:
            times.append(self._look_from)
        times.extend(due for due in (self._recovery.due, self._watching.wake_at()) if due is not None)
        return min(times)

    def _status(self) -> Status:
        states = self.inboxes.values()
        at = time.time()
        today = self._today.counts(at, at_rest=not self.in_hand)
        return Status(
            at=at,
            pid=0,
            started=self._started,
            version=__version__,
            inboxes=tuple(
                status_of(
                    state,
                    today[state.name],
                    self.hosts.running(state.rules.engine),
                    self.hosts.away(state.usable_hosts(self.hosts.running(state.rules.engine))),
                )
                for state in states
            ),
            hosts=self.hosts.status(),
        )
