"""A process of its own for work on the bytes of strangers: limited, killable, kept warm.

Both ends are here. A message is a head in JSON and data behind it; nothing that the other end says is executed,
for hostile bytes may have led it astray.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dropscribe.stop import Stop

    Reply = tuple[Mapping[str, Any], Sequence[bytes]]
    Request = tuple[dict[str, Any], bytes]

_SIZES = struct.Struct(">II")
_LONGEST_HEAD = 64_000_000  # bytes; a text layer may fill a page
_MOST_DATA = 512_000_000
_START_SECONDS = 60.0  # imports take a second; on a small machine under load far more
_TUNABLES = "GLIBC_TUNABLES"
_TOO_MUCH_MEMORY = 77  # exit code
_WATCH_SECONDS = 0.05
_LINUX = platform.system() == "Linux"


class Died(Exception):
    """The process ended instead of answering; the message says how, for people."""


class TooSlow(Exception):
    """It did not answer in time, and was ended."""


# --- the end that asks


class Process:
    """One such process, running `module`'s main with the number of a socket; used by one thread at a time."""

    def __init__(self, module: str, *, huge_pages: bool = False) -> None:
        """`huge_pages`: it asks for much memory at once, which comes cheaper in pieces of 2 MB where glibc can.

        Raises Died when it does not start.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _started(module, theirs, huge_pages=huge_pages)
        self._socket = ours
        try:
            self._receive(time.monotonic() + _START_SECONDS)  # it says that it is ready
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, head: Mapping[str, Any], data: bytes = b"", *, seconds: float, stop: Stop
    ) -> tuple[dict[str, Any], bytes]:
        """The reply to `head` with `data` behind it. After any exception the process is gone.

        Raises Died, TooSlow after `seconds`, or Stopped.
        """
        try:
            until = time.monotonic() + seconds
            with stop.calls(self._kill):
                stop.check()
                with suppress(BrokenPipeError, ConnectionError):  # what comes back will say how it died
                    _send(self._socket, head, (data,), until)
                return self._receive(until)
        except TimeoutError:
            self.close()
            raise TooSlow from None
        except BaseException as error:
            self.close()
            if isinstance(error, Died):
                stop.check()
            raise

    def close(self) -> None:
        self._kill()
        self._process.wait()
        self._socket.close()

    def _kill(self) -> None:
        with suppress(OSError):
            self._process.kill()

    def _receive(self, until: float) -> tuple[dict[str, Any], bytes]:
        try:
            head, data = _received(self._socket, until)
        except TimeoutError:
            self._kill()
            raise TooSlow from None
        except (OSError, EOFError, ValueError, RecursionError):
            self._kill()
            raise Died(_how(self._process.wait())) from None
        if "broke" in head:
            raise Died(str(head["broke"]))
        return head, data


def _started(module: str, theirs: socket.socket, *, huge_pages: bool) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        # Freed pages go back to the system at once, and threads do not each reserve room (mallopt(3)).
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_ARENA_MAX": "2",
    }
    if huge_pages:
        others = [environment[_TUNABLES]] if environment.get(_TUNABLES) else []
        environment[_TUNABLES] = ":".join([*others, "glibc.malloc.hugetlb=1"])
    return subprocess.Popen(
        # -P: nothing is imported from whatever folder the daemon was started in.
        [sys.executable, "-P", "-m", module, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # libraries complain there about files; what matters comes as a reply
        start_new_session=True,  # Ctrl-C is for the daemon, which then ends this
    )


def _how(code: int) -> str:
    if code == _TOO_MUCH_MEMORY:
        return "it needed more memory than it may have"
    if code < 0:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with code {code}"


# --- the end that works


def serve(descriptor: int, work: Callable[[dict[str, Any], bytes], Reply]) -> None:
    """Answer each request by `work` until the other end is gone, then leave, even in the middle of one."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # A service manager tells all processes to stop; the daemon decides what becomes of this one.
        signal.signal(number, signal.SIG_IGN)
    line = socket.socket(fileno=descriptor)
    requests: SimpleQueue[Request] = SimpleQueue()
    threading.Thread(target=_listen, args=(line, requests), daemon=True).start()
    _send(line, {"ready": os.getpid()}, ())
    while True:
        head, data = work(*requests.get())
        _send(line, head, data)


def _listen(line: socket.socket, requests: SimpleQueue[Request]) -> None:
    try:
        while True:
            requests.put(_received(line, None))
    finally:
        os._exit(0)


def limit_memory(most: int, base: int) -> None:
    """From now on this process may have `most` bytes more than `base`, what `memory_reserved` told when it was idle.

    Linux refuses it more, which shows as MemoryError. Elsewhere (macOS) nothing does, so the process leaves when
    it has ever had more.
    """
    if _LINUX:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = base + most
        resource.setrlimit(
            resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
    else:
        _WATCH.hold(base + most)


def memory_reserved() -> int:
    """Bytes that this process has: of address space on Linux, elsewhere the most that were ever in memory."""
    if _LINUX:
        with open("/proc/self/statm", "rb") as counts:  # noqa: PTH123 - in the middle of a limit, no objects
            return int(counts.read().split()[0]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class _Watch:
    """Leaves when this process has ever had more memory than it may; for systems without such a limit."""

    def __init__(self) -> None:
        self._most = 0
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None

    def hold(self, most: int) -> None:
        # The peak never sinks: what an earlier scan was allowed, a later one must not be blamed for.
        self._most = max(most, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while not self._pause.wait(_WATCH_SECONDS):
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > self._most:  # bytes, on macOS
                os._exit(_TOO_MUCH_MEMORY)


_WATCH = _Watch()


def renounce() -> None:
    """Give up what this work never needs: leaving a core file, writing files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


# --- messages


def _send(
    line: socket.socket, head: Mapping[str, Any], data: Sequence[bytes], until: float | None = None
) -> None:
    encoded = json.dumps(head).encode()
    for piece in (_SIZES.pack(len(encoded), sum(map(len, data))) + encoded, *data):
        line.settimeout(None if until is None else max(0.001, until - time.monotonic()))
        line.sendall(piece)


def _received(line: socket.socket, until: float | None) -> tuple[dict[str, Any], bytes]:
    """Raises TimeoutError, EOFError, ValueError for what is no message, OSError."""
    length, more = _SIZES.unpack(_exactly(line, _SIZES.size, until))
    if length > _LONGEST_HEAD or more > _MOST_DATA:
        raise ValueError("too long a message")
    head = json.loads(_exactly(line, length, until))
    if not isinstance(head, dict):
        raise ValueError("no head")  # noqa: TRY004 - it is the message that is wrong
    return head, _exactly(line, more, until)


def _exactly(line: socket.socket, size: int, until: float | None) -> bytes:
    buffer = bytearray(size)
    view, filled = memoryview(buffer), 0
    while filled < size:
        line.settimeout(None if until is None else max(0.001, until - time.monotonic()))
        count = line.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return bytes(buffer)
