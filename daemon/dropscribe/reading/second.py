"""The second, independent reader of pages: the embedded engine, which never hears what the model said."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from dropscribe import log
from dropscribe.errors import (
    BadAnswer,
    DropscribeError,
    Failure,
    Misconfigured,
    Stopped,
    Unavailable,
    WorldWrong,
)
from dropscribe.reading.crosscheck import Line
from dropscribe.reading.engines.ocr import PrintReader, models
from dropscribe.reading.machine import memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropscribe.reading.engines.ocr import PrintRead
    from dropscribe.stop import Stop
    from dropscribe.values import Picture

IDLE = 600.0
"""Seconds without work after which the process ends: it holds some hundred MB, and starts in two seconds."""

LEAST_MEMORY = 2_000_000_000
"""Bytes of a machine on which pages are verified unasked: the process takes up to 0.7 GB, decoding up to 1 GB."""

_BREAK_DOWNS = 3  # in a row, after which it is left alone
_LEFT_ALONE = 600.0  # seconds

_PATIENCE = 1.0  # seconds for the thread to end; it dies with the process all the same


class Reads(Protocol):
    """What reads print in a picture; used by one thread at a time."""

    def read(self, picture: Picture, *, stop: Stop) -> PrintRead: ...
    def rest(self) -> None: ...


class Pending:
    """What is being read of one page; made by one thread, waited for by another."""

    def __init__(self, picture: Callable[[], Picture | None], stop: Stop) -> None:
        self._picture = picture
        self._stop = stop
        self._over = threading.Event()
        self.read: PrintRead | None = None
        self.error: DropscribeError | None = None
        self.dropped = False
        self._ended = False

    def result(self, *, stop: Stop) -> PrintRead | None:
        """What stands on the page; None where it has nothing on it, or text of its own.

        Raises Stopped at once, and the failures of the picture and of the reader: Unavailable too where that one
        fails as nobody foresaw, for it is no reason to lose a scan.
        """
        with stop.calls(self._over.set):
            self._over.wait()
        if not self._ended:
            raise Stopped
        if self.error is not None:
            raise self.error
        return self.read

    @property
    def is_over(self) -> bool:
        """Whether it was read, or cannot be."""
        return self._ended

    def drop(self) -> None:
        """Nobody waits for it any more: it is not begun."""
        self.dropped = True

    def work(self, reader: Reads) -> None:
        try:
            self._stop.check()
            if not self.dropped and (picture := self._picture()) is not None:
                self.read = reader.read(picture, stop=self._stop)
        except DropscribeError as error:  # it belongs to whoever waits
            self.error = error
        except Exception as error:  # noqa: BLE001 - the boundary of this reader
            log.trouble("the second reader broke down", error)
            self.error = Unavailable(f"the embedded engine broke down: {type(error).__name__}")

    def end(self) -> None:
        """Who waits goes on."""
        self._ended = True
        self._over.set()


class SecondReader:
    """One embedded reader for all pages of all scans, in a thread of its own; used by any thread.

    One page at a time: it takes every core that it is given.
    """

    def __init__(
        self,
        reader: Reads | None = None,
        *,
        idle: float = IDLE,
        room: Callable[[], int | None] = memory,
    ) -> None:
        """`idle` in seconds; `room` tells the bytes of memory of this machine."""
        self._reader = reader or PrintReader(background=True)
        self._idle = idle
        self._room = room
        self._waiting: dict[object, deque[Pending]] = {}  # by whom they are for, whose turn comes next first
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._told: set[str] = set()
        self._unfit: dict[bool, Failure | None] = {}
        self._broken: Failure | None = None
        self._break_downs = 0
        self._left_alone_until = 0.0

    @property
    def at_hand(self) -> bool:
        """Whether the embedded engine is installed."""
        return _missing() is None

    def why_not(self, *, asked_for: bool) -> Failure | None:
        """Why no page can be verified now, told once in the log; None where pages can be.

        `asked_for`: by somebody who knows the machine, be it as small as it may.
        """
        if asked_for not in self._unfit:
            self._unfit[asked_for] = _missing() or (None if asked_for else _too_small(self._room()))
        failure = self._unfit[asked_for]
        if failure is None and time.monotonic() < self._left_alone_until:
            failure = self._broken
        if failure is not None:
            self._tell(failure, "warning" if asked_for else "info")
        return failure

    def begin(self, picture: Callable[[], Picture | None], *, stop: Stop, owner: object = None) -> Pending:
        """Read what `picture` gives, made in the reader's thread too, after all that its `owner` began before.

        Owners take turns, so that a single page does not wait for all those of a long scan.
        """
        pending = Pending(picture, stop)
        with self._news:
            if self._closed:
                raise Stopped
            self._waiting.setdefault(owner, deque()).append(pending)
            self._news.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="second reader", daemon=True)
                self._thread.start()
        return pending

    def close(self) -> None:
        """End the process and the thread; whoever waits was told to stop before."""
        with self._news:
            self._closed = True
            thread = self._thread
            self._news.notify()
        if thread is not None:
            thread.join(_PATIENCE)

    def _work(self) -> None:
        while (pending := self._next()) is not None:
            pending.work(self._reader)
            self._count(pending)
            pending.end()
        self._reader.rest()

    def _count(self, pending: Pending) -> None:
        """A page may be too much for it, or take too long, but hardly every page."""
        if pending.dropped:  # the scan itself may be gone by then
            return
        error = pending.error
        if not isinstance(error, (Unavailable, WorldWrong, Misconfigured, BadAnswer)):
            self._break_downs = 0 if pending.read else self._break_downs
            return
        self._break_downs += 1
        if self._break_downs >= _BREAK_DOWNS:
            self._broken = error
            self._left_alone_until = time.monotonic() + _LEFT_ALONE
            self._tell(error, "warning")

    def _tell(self, failure: Failure, level: str) -> None:
        with self._lock:
            if failure.reason in self._told:
                return
            self._told.add(failure.reason)
        log.step("goes on without verifying", level=level, reason=failure.reason, fix=failure.fix)

    def _next(self) -> Pending | None:
        if not self._wait(self._idle):
            self._reader.rest()
            self._wait(None)
        with self._lock:
            if not self._waiting:
                return None
            owner = next(iter(self._waiting))
            line = self._waiting.pop(owner)
            pending = line.popleft()
            if line:
                self._waiting[owner] = line
            return pending

    def _wait(self, seconds: float | None) -> bool:
        """Whether there is something to read, or nothing ever more, within so many seconds."""
        with self._news:
            return self._news.wait_for(lambda: bool(self._waiting) or self._closed, seconds)


def lines_of(read: PrintRead) -> list[Line]:
    """What was read, for the cross-check."""
    return [Line(words, sure) for _, words, sure in read.lines]


def _missing() -> Failure | None:
    try:
        models()
    except Misconfigured as missing:
        return missing
    return None


def _too_small(found: int | None) -> Failure | None:
    if found is None or found >= LEAST_MEMORY:
        return None
    words = f"there are {found // 10**6:,} MB of memory, and verifying wants {LEAST_MEMORY // 10**6:,}"
    return Misconfigured(words, "set verify: on to try it all the same, or verify: off")
