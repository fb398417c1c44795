"""Decoding processes in no time: forked from one that has imported everything already.

The daemon starts `sys.executable -P -m MODULE SOCKET`. In a rehearsal that is the launcher written here, which
hands its socket to the nursery and lives as long as the decoding process that this begets.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LAUNCHER = """#!{python} -IS
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
socket.send_fds(line, [b"!"], [int(sys.argv[-1])])
line.recv(1)
"""


def open_nursery(folder: Path, main: Callable[[int], None] | None = None) -> str:
    """Forks the nursery, which ends when this process does; what to use as `sys.executable`.

    `main`: what a decoding process does with its end of the socket, if not what it does outside of tests.
    """
    address, launcher = str(folder / "nursery"), folder / "launcher"
    launcher.write_text(_LAUNCHER.format(python=sys.executable, address=address))
    launcher.chmod(0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.close(theirs)
        _serve(listener, ours, main)
    listener.close()
    os.close(ours)
    return str(launcher)


def _serve(listener: socket.socket, parent: int, main: Callable[[int], None] | None) -> None:
    import select
    import signal

    from dropscribe.reading import decoder  # early, for those begotten here

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for them
    while True:
        ready, _, _ = select.select([listener, parent], [], [])
        if parent in ready:
            os._exit(0)
        line, _ = listener.accept()
        if os.fork() == 0:
            _decode(line, main or decoder.main)
        line.close()


def _decode(line: socket.socket, main: Callable[[int], None]) -> None:
    import signal

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        _, (descriptor, *_), _, _ = socket.recv_fds(line, 1, 1)
        main(descriptor)
    finally:
        os._exit(1)
