"""The daemon: locks, signals, the bell and the slots around one loop.

wait for the bell, a result or the time → one pass of `reconcile` → wait again
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dropscribe import __version__, log
from dropscribe.away import is_away, known
from dropscribe.desk import Desk, Progress
from dropscribe.engine_makers import decoders, host_makers
from dropscribe.errors import InUse, WorldWrong
from dropscribe.filer import Filer
from dropscribe.folders import prepare_inbox, prepare_state
from dropscribe.inbox_state import InboxState, rescan_of
from dropscribe.inbox_status import status_of
from dropscribe.intake.bell import Bell
from dropscribe.intake.look import LookRules
from dropscribe.intake.mounts import mount_of
from dropscribe.ledger import Ledger
from dropscribe.ledger.store import put_aside
from dropscribe.locks import locked, locked_inbox
from dropscribe.reading.decoding import Decoding
from dropscribe.reading.second import SecondReader
from dropscribe.reconcile import Reconciler
from dropscribe.recovery import Recovery
from dropscribe.schedule import Host
from dropscribe.service.notify import Manager
from dropscribe.slots import Slots
from dropscribe.status import LOCK, Status, StatusSocket
from dropscribe.stop import Stop
from dropscribe.verify import why_not

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from dropscribe.config.values import Config, Inbox
    from dropscribe.engine_makers import HostMakers


GRACE = 1.5
"""Seconds that the slots get to put down what they hold; nothing is lost when they do not."""

_ENDING = 30.0
"""Seconds in which all is put down and closed, on the slowest disk; more means that something hangs."""

_LEDGERS = 3
"""Ledgers that one process begins because the one before was damaged; more means that the disk is."""


class Clock:
    """The time by which everything here is due, and waiting in it; rehearsals bring one that leaps."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, bell: Bell, seconds: float) -> bool:
        """Until the bell rings, at most `seconds`; whether it rang."""
        return bell.wait(seconds)

    def stop(self) -> Stop:
        """The word for one life of the slots, whose waits for seconds pass in this time too."""
        return Stop()


_CLOCK = Clock()
_NOBODY = Manager()


def run(
    config: Config,
    stop: Stop,
    *,
    until: Callable[[Status], bool] | None = None,
    clock: Clock = _CLOCK,
    hosts: Sequence[HostMakers] | None = None,
    manager: Manager = _NOBODY,
) -> Status:
    """Work until told to stop, or until `until`, which is shown the status after each pass, says so.

    `hosts`: instead of those that the configuration names, for rehearsals with other engines. `manager` is told
    how it goes. Returns the last status. Raises InUse when another daemon has the state folder or an inbox,
    WorldWrong when the state folder cannot be used.
    """
    with ExitStack() as stack:
        prepare_state(config)
        what, advice = (
            f"the state folder {config.state}",
            "stop it first, or look at it with `dropscribe status`",
        )
        stack.enter_context(locked(config.state / LOCK, what, advice))
        worked_before = known(config.state, config.inboxes)
        away: set[str] = set()
        for inbox in config.inboxes:
            if inbox.name in worked_before and is_away(inbox):
                away.add(inbox.name)  # nothing is made in its place; the first look says what is missing
                continue
            prepare_inbox(inbox)
            stack.enter_context(locked_inbox(inbox, config.state))

        def claim(inbox: Inbox) -> None:
            try:
                stack.enter_context(locked_inbox(inbox, config.state))
            except InUse as taken:
                what, _, fix = str(taken).partition("; ")
                raise WorldWrong(what, fix) from taken
            away.discard(inbox.name)

        for _ in range(_LEDGERS):
            makers = hosts or tuple(host_makers(config))
            last, damage = _work(config, makers, stop, until, clock, manager, away, claim)
            if not damage:
                return last
            put_aside(config.state / "ledger.db", damage)
    raise WorldWrong(f"{config.state}: one ledger after another is damaged", "check the disk")


def _work(
    config: Config,
    makers: Sequence[HostMakers],
    given: Stop,
    until: Callable[[Status], bool] | None,
    clock: Clock,
    manager: Manager,
    away: Collection[str],
    claim: Callable[[Inbox], None],
) -> tuple[Status, str]:
    """One life of everything that knows the ledger: the last status, and how the ledger is damaged if it is.

    `away` names the inboxes that are still to be claimed.

    Numbers of scans mean nothing in another ledger, so nothing that holds one may outlive it.
    """
    with ExitStack() as stack:
        stop = clock.stop()
        stack.enter_context(given.calls(stop.set))
        ledger = Ledger(config.state / "ledger.db")
        stack.callback(ledger.close)
        filer = Filer(ledger)
        roots = {inbox.name: inbox.path for inbox in config.inboxes}
        recovery = Recovery(ledger, filer, roots, config.inboxes)
        recovery.look(0.0)
        bell = Bell()
        stack.callback(bell.close)
        stack.enter_context(stop.calls(bell.ring))
        decoding = Decoding(decoders(makers), stop)
        stack.callback(decoding.rest)
        second = SecondReader()
        stack.callback(second.close)
        desk = Desk(ledger, filer, decoding, second, progress := Progress(), config.state / "spool", stop)
        slots = Slots({name: engines for name, _, engines in makers}, desk, bell.nudge)
        hosts = [Host(name, engine, len(engines)) for name, engine, engines in makers]
        states = [_inbox_state(inbox, progress, ledger) for inbox in config.inboxes]
        for state in states:
            state.away = state.name in away
            state.claim = partial(claim, state.rules)
            with suppress(WorldWrong):  # then it is met at the next start
                ledger.meet(state.name)
            state.why_unverified = partial(why_not, state.rules, second)
        reconciler = Reconciler(states, hosts, ledger, slots, bell, config.state, recovery, clock.now)
        status_socket = StatusSocket(config.state, lambda: _of_process(reconciler.snapshot))
        stack.callback(status_socket.close)
        log.step("started", pid=os.getpid(), inboxes=len(states), state=str(config.state))
        _loop(reconciler, bell, stop, until, ledger, clock, manager)
        if given.is_set() or not ledger.damaged:  # else everything begins anew
            manager.stopping(_ENDING)
        stop.set()
        _put_down(slots, reconciler, clock)
        log.step("stopped")
        return reconciler.snapshot, "" if given.is_set() else ledger.damaged


def _loop(
    reconciler: Reconciler,
    bell: Bell,
    stop: Stop,
    until: Callable[[Status], bool] | None,
    ledger: Ledger,
    clock: Clock,
    manager: Manager,
) -> None:
    rung = True
    while not stop.is_set() and not ledger.damaged:
        sleep = reconciler.step(clock.now(), rung=rung)
        if until is not None and until(reconciler.snapshot):
            return
        sleep = min(sleep, manager.turned(reconciler.snapshot, clock.now()))
        rung = clock.wait(bell, sleep)


def look_once(config: Config) -> Status:
    """A status without a daemon: what lies in the inboxes now, and what the ledger remembers."""
    ledger = _ledger_to_look_at(config.state / "ledger.db")
    try:
        states = [_inbox_state(inbox, Progress(), ledger) for inbox in config.inboxes]
        for state in states:
            try:
                state.look(time.monotonic())
            except WorldWrong as wrong:
                state.park(wrong, time.monotonic())
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        counts = {s.name: ledger.counts(s.name, since=midnight) if ledger else {} for s in states}
        inboxes = tuple(status_of(state, counts[state.name], ()) for state in states)
    finally:
        if ledger is not None:
            ledger.close()
    return Status(time.time(), 0, None, __version__, inboxes)


def _ledger_to_look_at(path: Path) -> Ledger | None:
    """Whether it is damaged, or there at all, is for those to say who work with it."""
    try:
        return Ledger(path, mend=False) if path.exists() else None
    except WorldWrong:
        return None


def _put_down(slots: Slots, reconciler: Reconciler, clock: Clock) -> None:
    ended = slots.close(GRACE)
    reconciler.step(clock.now(), rung=False, stopping=True)
    if not ended:
        # A library that cannot be interrupted. Its thread dies with us; the scan is still in its inbox.
        log.step("stopped while reading", level="warning", scans=reconciler.in_hand)


def _inbox_state(inbox: Inbox, progress: Progress, ledger: Ledger | None) -> InboxState:
    network = mount_of(inbox.path).network
    # The review folder too where it is not used any more: what still lies there was read. One that never was used
    # is a folder as any other.
    reviewed = ledger is not None and ledger.has_filed_below(inbox.name, inbox.review)
    skip = frozenset({*inbox.folders, *((inbox.review,) if reviewed else ())})
    rules = LookRules(
        recursive=inbox.recursive, patterns=tuple(inbox.patterns), ignore=tuple(inbox.ignore), skip=skip
    )
    gaps = ledger.gaps(inbox.name) if ledger else {}
    page_of = partial(progress.words, inbox.name)
    rescan = rescan_of(inbox, network=network)
    return InboxState(inbox, rules, network=network, rescan=rescan, page_of=page_of, gaps=gaps)


def _of_process(status: Status) -> Status:
    return replace(status, pid=os.getpid(), at=time.time())
