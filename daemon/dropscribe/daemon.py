"""The daemon: locks, signals, the bell and the slots around one loop.

wait for the bell, a result or the time → one pass of `reconcile` → wait again
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dropscribe import __version__, log
from dropscribe.errors import WorldWrong, world_wrong
from dropscribe.filer import Filer, rights_of
from dropscribe.filing import atomic
from dropscribe.inbox_state import InboxState
from dropscribe.intake.bell import Bell
from dropscribe.intake.look import LookRules
from dropscribe.intake.mounts import mount_of
from dropscribe.ledger import Ledger
from dropscribe.ledger.store import put_aside
from dropscribe.locks import locked, locked_folder
from dropscribe.reading.decoding import Decoding
from dropscribe.reading.turning import Turner
from dropscribe.reconcile import Reconciler
from dropscribe.recovery import Recovery
from dropscribe.schedule import Host
from dropscribe.slots import Slots
from dropscribe.status import LOCK, Status, StatusSocket
from dropscribe.stop import Stop
from dropscribe.transcribe import Desk, Progress, wanted_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from dropscribe.config.values import Config, Inbox
    from dropscribe.reading.engines import Engine
    from dropscribe.values import Gap

    HostMakers = tuple[str, str, Sequence[Callable[[], Engine]]]
    """A host's name, what runs there, and makers of its engines, one for each request it may be given at once."""

GRACE = 1.5
"""Seconds that the slots get to put down what they hold; nothing is lost when they do not."""

_LEDGERS = 3
"""Ledgers that one process begins because the one before was damaged; more means that the disk is."""

_RESCAN = 60.0
_RESCAN_NETWORK = 10.0


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


def run(
    config: Config,
    stop: Stop,
    *,
    until: Callable[[Status], bool] | None = None,
    clock: Clock = _CLOCK,
    hosts: Sequence[HostMakers] | None = None,
) -> Status:
    """Work until told to stop, or until `until`, which is shown the status after each pass, says so.

    `hosts`: instead of those that the configuration names, for rehearsals with other engines. Returns the last
    status. Raises UsageError when another daemon has the state folder or an inbox, WorldWrong when the state
    folder cannot be used.
    """
    with ExitStack() as stack:
        _prepare_state(config)
        what, advice = (
            f"the state folder {config.state}",
            "stop it first, or look at it with `dropscribe status`",
        )
        stack.enter_context(locked(config.state / LOCK, what, advice))
        for inbox in config.inboxes:
            _prepare_inbox(inbox)
            stack.enter_context(_locked_inbox(inbox, config.state))
        for _ in range(_LEDGERS):
            last, damage = _work(config, hosts or tuple(_hosts(config)), stop, until, clock)
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
) -> tuple[Status, str]:
    """One life of everything that knows the ledger: the last status, and how the ledger is damaged if it is.

    Numbers of scans mean nothing in another ledger, so nothing that holds one may outlive it.
    """
    with ExitStack() as stack:
        stop = clock.stop()
        stack.enter_context(given.calls(stop.set))
        ledger = Ledger(config.state / "ledger.db")
        stack.callback(ledger.close)
        filer = Filer(ledger)
        recovery = Recovery(ledger, filer, {inbox.name: inbox.path for inbox in config.inboxes})
        recovery.look(0.0)
        bell = Bell()
        stack.callback(bell.close)
        stack.enter_context(stop.calls(bell.ring))
        decoding = Decoding(_decoders(makers), stop)
        stack.callback(decoding.rest)
        turner = Turner()
        stack.callback(turner.rest)
        desk = Desk(ledger, filer, decoding, turner, progress := Progress(), config.state / "spool", stop)
        slots = Slots({name: engines for name, _, engines in makers}, desk, bell.nudge)
        hosts = [Host(name, engine, len(engines)) for name, engine, engines in makers]
        states = [_inbox_state(inbox, progress, ledger.gaps(inbox.name)) for inbox in config.inboxes]
        reconciler = Reconciler(states, hosts, ledger, slots, bell, config.state, recovery)
        status_socket = StatusSocket(config.state, lambda: _of_process(reconciler.snapshot))
        stack.callback(status_socket.close)
        log.step("started", pid=os.getpid(), inboxes=len(states), state=str(config.state))
        _loop(reconciler, bell, stop, until, ledger, clock)
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
) -> None:
    rung = True
    while not stop.is_set() and not ledger.damaged:
        sleep = reconciler.step(clock.now(), rung=rung)
        if until is not None and until(reconciler.snapshot):
            return
        rung = clock.wait(bell, sleep)


def look_once(config: Config) -> Status:
    """A status without a daemon: what lies in the inboxes now, and what the ledger remembers."""
    ledger = _ledger_to_look_at(config.state / "ledger.db")
    try:
        states = [
            _inbox_state(inbox, Progress(), ledger.gaps(inbox.name) if ledger else {})
            for inbox in config.inboxes
        ]
        for state in states:
            try:
                state.look(time.monotonic())
            except WorldWrong as wrong:
                state.park(wrong, time.monotonic())
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        counts = {s.name: ledger.counts(s.name, since=midnight) if ledger else {} for s in states}
        inboxes = tuple(state.status(counts[state.name], ()) for state in states)
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


# --- before the first look


def _prepare_state(config: Config) -> None:
    _make(config.state, mode=0o700)
    spool = config.state / "spool"
    _make(spool, mode=0o700)
    try:
        leftovers = list(spool.iterdir())
    except OSError as error:
        raise world_wrong(error, spool) from error
    atomic.sweep(config.state)
    for leftover in leftovers:
        with suppress(OSError):  # whatever else somebody has put there does no harm
            leftover.unlink(missing_ok=True)


def _make(folder: Path, *, mode: int = 0o777) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except FileExistsError:
        raise WorldWrong(f"{folder}: expected a folder, found a file", "move it away") from None
    except FileNotFoundError:  # its parents are made too, so the file system itself does not want it
        words = f"{folder}: expected to make a folder, but none can be made there"
        raise WorldWrong(words, "name another folder in the config") from None
    except OSError as error:
        raise world_wrong(error, folder) from error


def _prepare_inbox(inbox: Inbox) -> None:
    """Make the folders that filing needs: at start only, a folder that vanishes later is not made again.

    Outside the inbox only the last folder of a path is made: more of it may lie on a share that is not mounted,
    and would be made in its place. What is missing then parks the inbox until it is there.
    """
    if inbox.create:
        _make(inbox.path)
    folders = dict.fromkeys((inbox.done, inbox.failed, inbox.output.folder))
    for folder in folders:
        below = inbox.path if inbox.path in folder.parents else folder.parent
        with suppress(WorldWrong):
            atomic.make_folder(folder, below=below, rights=rights_of(inbox.path, wanted_rights(inbox)))
    # A stop in the middle of trying the rights leaves a hidden file in the inbox too.
    for folder in (*folders, inbox.path):
        with suppress(WorldWrong):
            atomic.sweep(atomic.inside(folder, inbox.path))


def _inbox_state(inbox: Inbox, progress: Progress, gaps: Mapping[str, Gap]) -> InboxState:
    network = mount_of(inbox.path).network
    skip = frozenset({inbox.done, inbox.failed, inbox.output.folder})
    rules = LookRules(
        recursive=inbox.recursive, patterns=tuple(inbox.patterns), ignore=tuple(inbox.ignore), skip=skip
    )
    rescan = inbox.rescan or (_RESCAN_NETWORK if network else _RESCAN)
    page_of = partial(progress.words, inbox.name)
    return InboxState(inbox, rules, network=network, rescan=rescan, page_of=page_of, gaps=gaps)


# --- locks and signals


@contextmanager
def _locked_inbox(inbox: Inbox, state: Path) -> Iterator[None]:
    """The folder itself is the lock, so that two daemons with different state folders meet there too.

    Not on network mounts: there a lock is either refused for folders or turns mandatory for others (flock(2)).
    """
    if mount_of(inbox.path).network:
        yield
        return
    what = f"the inbox {inbox.name} ({inbox.path})"
    advice = f"that one has another state folder than {state}, so another configuration: stop it first"
    with locked_folder(inbox.path, what, advice):
        yield


@contextmanager
def signals(stop: Stop) -> Iterator[None]:
    """SIGTERM and SIGINT tell to stop; a second one leaves at once, which loses nothing.

    The kernel's byte in a socket is read by a thread of its own: a Python handler would run between any two
    steps of the main thread, which may hold the very lock that telling to stop needs.
    """
    listen, tell = socket.socketpair()
    tell.settimeout(0)  # a full socket must not hold up the kernel
    thread = threading.Thread(target=_heed, args=(listen, stop), name="signals", daemon=True)
    thread.start()
    before = {number: signal.signal(number, _nothing) for number in (signal.SIGTERM, signal.SIGINT)}
    fd_before = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        tell.close()
        thread.join()
        listen.close()


def _heed(listen: socket.socket, stop: Stop) -> None:
    while numbers := listen.recv(1):
        if numbers[0] in {signal.SIGTERM, signal.SIGINT}:
            if stop.is_set():
                os._exit(128 + numbers[0])
            stop.set()


def _nothing(number: int, frame: FrameType | None) -> None:
    """Only a signal that has a handler is written to the socket."""


# --- hosts and engines


def engines(config: Config, engine: str) -> Sequence[Callable[[], Engine]]:
    """Makers of the engines of all hosts that run `engine`, one for each request they may be given at once."""
    return [maker for _, runs, makers in _hosts(config) if runs == engine for maker in makers]


def _hosts(config: Config) -> Iterator[HostMakers]:
    wanted = {inbox.engine for inbox in config.inboxes}
    if "ollama" in wanted:
        for host in config.ollama.hosts:
            yield host.url, "ollama", [_ollama(config, host.url)] * host.parallel
    if "ocr" in wanted:
        yield "embedded", "ocr", [_ocr]


def _decoders(hosts: Sequence[HostMakers]) -> int:
    """Decoding is work for a core: more at once than there are of them, or than requests, gain nothing."""
    return max(1, min(os.cpu_count() or 1, sum(len(makers) for _, _, makers in hosts)))


def _ollama(config: Config, url: str) -> Callable[[], Engine]:
    def make() -> Engine:
        from dropscribe.reading.engines.ollama import OllamaEngine  # noqa: PLC0415
        from dropscribe.reading.engines.wire import Timeouts  # noqa: PLC0415

        times = config.ollama.timeouts
        timeouts = Timeouts(times.connect, times.first_token, times.silence, times.total)
        return OllamaEngine(url, timeouts, config.ollama.allow_cloud)

    return make


def _ocr() -> Engine:
    from dropscribe.reading.engines.ocr import OcrEngine  # noqa: PLC0415 - 2 s and 400 MB only for those who use it

    return OcrEngine()


def _of_process(status: Status) -> Status:
    return replace(status, pid=os.getpid(), at=time.time())
