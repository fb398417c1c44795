"""One word to everything that waits: stop."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dropscribe.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Stop:
    """An event that also ends waits which cannot watch an event, such as a blocked socket read.

    `set` may be called from a signal handler's thread and more than once.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._lock = threading.Lock()
        self._listeners: set[Callable[[], None]] = set()

    def set(self) -> None:
        self.event.set()
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def is_set(self) -> bool:
        return self.event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep for `seconds`, less if told to stop; true if told to stop."""
        return self.event.wait(seconds)

    def check(self) -> None:
        """Raises Stopped once told to stop."""
        if self.event.is_set():
            raise Stopped

    @contextmanager
    def calls(self, listener: Callable[[], None]) -> Iterator[None]:
        """`listener` is called when told to stop inside this block, at once if that was before it."""
        with self._lock:
            self._listeners.add(listener)
        try:
            if self.event.is_set():
                listener()
            yield
        finally:
            with self._lock:
                self._listeners.discard(listener)
