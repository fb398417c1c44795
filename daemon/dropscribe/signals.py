"""Signals that tell to stop."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from dropscribe.stop import Stop


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
