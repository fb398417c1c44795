"""A gate between a process and the kernel, through which each of its file and network operations has to pass.

The kernel holds a chosen system call of the process, whichever thread makes it and whichever library (SQLite's
own writes, renameat2 by ctypes, sockets), and asks the gate-keeper, who lets it pass, refuses it with an errno,
or does something else first: kill the process, cut the power. So operations have one order and one count, and
nothing in the program has to be prepared for it (seccomp_unotify(2); Linux 5.9 and later, no privilege needed).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READS = {
    "read": 0, "stat": 4, "fstat": 5, "lstat": 6, "pread64": 17, "access": 21, "fcntl": 72, "flock": 73,
    "statfs": 137, "fstatfs": 138, "getdents64": 217, "newfstatat": 262, "faccessat": 269, "statx": 332,
    "faccessat2": 439, "close": 3,
}  # fmt: skip
CHANGES = {
    "write": 1, "open": 2, "pwrite64": 18, "writev": 20, "connect": 42, "sendto": 44, "fsync": 74,
    "fdatasync": 75, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87,
    "chmod": 90, "fchmod": 91, "openat": 257, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265,
    "fchmodat": 268, "utimensat": 280, "fallocate": 285, "renameat2": 316, "copy_file_range": 326,
}  # fmt: skip
"""Numbers of x86-64."""

_NAMES = {number: name for name, number in (READS | CHANGES).items()}
_ONE_PATH = {"stat", "lstat", "access", "statfs", "open", "mkdir", "rmdir", "unlink", "chmod"}
_TWO_PATHS = {"rename", "link"}
_AT_PATH = {
    "openat",
    "mkdirat",
    "unlinkat",
    "fchmodat",
    "utimensat",
    "newfstatat",
    "faccessat",
    "faccessat2",
    "statx",
}
_AT_PATHS = {"renameat", "renameat2", "linkat"}
NETWORK = {"connect", "sendto"}
_LOCKING = {6, 7, 37, 38}  # F_SETLK, F_SETLKW and those of open file descriptions

_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP = 317
_NEW_LISTENER = 8
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
_CONTINUE = 1
_X86_64 = 0xC000003E
_NOTIFY, _ALLOW = 0x7FC00000, 0x7FFF0000
_AT_FDCWD = -100
_SHUTDOWN, _NO_LOG_FLUSH = 0x8004587D, 2  # FS_IOC_SHUTDOWN

_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str:
    """Why there can be no gate on this machine; empty if there can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the gate knows the system calls of Linux on x86-64 only"
    try:
        with open("/proc/sys/kernel/seccomp/actions_avail") as actions:
            return "" if "user_notif" in actions.read().split() else "this kernel cannot be asked"
    except OSError:
        return "this kernel cannot be asked"


# --- in the process


def enter(tell: socket.socket) -> None:
    """From now on all operations of this process and its children pass the gate whose other end is `tell`."""
    program = b"".join(_filter())
    code = ctypes.create_string_buffer(program)
    described = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = _libc.syscall(_SECCOMP, 1, _NEW_LISTENER, ctypes.create_string_buffer(described))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    socket.send_fds(tell, [b"!"], [listener])


def _filter() -> Iterator[bytes]:
    """Berkeley packet filter: load the architecture, then the number, compare, ask or allow."""
    numbers = sorted(_NAMES)
    yield struct.pack("HBBI", 0x20, 0, 0, 4)
    yield struct.pack("HBBI", 0x15, 0, len(numbers) + 1, _X86_64)
    yield struct.pack("HBBI", 0x20, 0, 0, 0)
    for place, number in enumerate(numbers):
        yield struct.pack("HBBI", 0x15, len(numbers) - place, 0, number)
    yield struct.pack("HBBI", 0x06, 0, 0, _ALLOW)
    yield struct.pack("HBBI", 0x06, 0, 0, _NOTIFY)


# --- the gate-keeper


@dataclass(frozen=True)
class Operation:
    """One system call that waits at the gate; paths are absolute, `fd` is 0 where there is none."""

    name: str
    args: tuple[int, ...]
    process: Inside = field(repr=False)

    @property
    def changes(self) -> bool:
        """Whether anybody could tell, after a stop, that it was done."""
        if self.name in {"open", "openat"}:
            flags = self.args[1 if self.name == "open" else 2]
            return bool(flags & (os.O_CREAT | os.O_TRUNC))
        return self.name in CHANGES

    @cached_property
    def paths(self) -> tuple[str, ...]:
        a, inside = self.args, self.process
        if self.name in _ONE_PATH:
            return (inside.path(_AT_FDCWD, a[0]),)
        if self.name in _TWO_PATHS:
            return inside.path(_AT_FDCWD, a[0]), inside.path(_AT_FDCWD, a[1])
        if self.name in _AT_PATH:
            return (inside.path(a[0], a[1]),)
        if self.name in _AT_PATHS:
            return inside.path(a[0], a[1]), inside.path(a[2], a[3])
        return (inside.opened(a[0]),)

    def __str__(self) -> str:
        return f"{self.name} {' → '.join(os.path.basename(path) for path in self.paths)}"


class Inside:
    """What the gate-keeper sees of the process behind the gate."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        self._connected: set[int] = set()

    def close(self) -> None:
        os.close(self._memory)

    def has(self, thread: int) -> bool:
        return os.path.exists(f"/proc/{self.pid}/task/{thread}")

    def opened(self, fd: int) -> str:
        try:
            return os.readlink(f"/proc/{self.pid}/fd/{_signed(fd)}")
        except OSError:
            return ""

    def path(self, folder: int, address: int) -> str:
        name = os.fsdecode(self.text(address))
        folder = _signed(folder)
        if name.startswith("/"):
            return os.path.normpath(name)
        base = os.readlink(f"/proc/{self.pid}/cwd") if folder == _AT_FDCWD else self.opened(folder)
        return os.path.normpath(os.path.join(base, name))

    def text(self, address: int) -> bytes:
        found = b""
        while address and b"\0" not in found:
            found += os.pread(self._memory, 4096 - (address + len(found)) % 4096, address + len(found))
        return found.partition(b"\0")[0]

    def data(self, address: int, size: int) -> bytes:
        return os.pread(self._memory, size, address) if size else b""

    def is_network(self, name: str, args: tuple[int, ...]) -> bool:
        """Whether it talks to a host; sockets to its own children and threads are no network."""
        if name == "connect":
            internet = self.data(args[1], 2) == struct.pack("H", socket.AF_INET)
            (self._connected.add if internet else self._connected.discard)(args[0])
            return internet
        return args[0] in self._connected and self.opened(args[0]).startswith("socket:")


def _signed(fd: int) -> int:
    return ctypes.c_int(fd & 0xFFFFFFFF).value


PASS = 0
KILL = -1
Verdict = int  # PASS, KILL or an errno


HUNG = 5
"""Exit code in place of that of a process that had to be ended."""

_PATIENCE = 20.0  # seconds; only a hang meets this


def keep(pid: int, listener: int, folders: tuple[str, ...], judge: Callable[[Operation], Verdict]) -> int:
    """Ask `judge` about each operation of process `pid` in `folders` or on the network; its exit code at last.

    Operations of its children pass unasked.
    """
    until, hung = time.monotonic() + _PATIENCE, False
    inside, handle = Inside(pid), os.pidfd_open(pid)
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    poll.register(handle, select.POLLIN)
    try:
        while True:
            ready = dict(poll.poll(_PATIENCE * 1000))
            if time.monotonic() > until and not hung:
                os.kill(pid, signal.SIGKILL)
                hung = True
            if ready.get(listener, 0) & select.POLLIN:
                _answer(listener, inside, folders, judge)
            elif handle in ready:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                return HUNG if hung else code
            elif listener in ready:
                poll.unregister(listener)
    finally:
        inside.close()
        os.close(handle)
        os.close(listener)


def _answer(
    listener: int, inside: Inside, folders: tuple[str, ...], judge: Callable[[Operation], Verdict]
) -> None:
    asked = bytearray(80)
    if not _ioctl(listener, _RECEIVE, asked):
        return
    number, thread, _, call, _, _, *args = struct.unpack("=QIIiIQ6Q", asked)
    verdict = PASS
    if inside.has(thread):
        operation = Operation(_NAMES[call], tuple(args), inside)
        if _matters(operation, folders):
            verdict = judge(operation)
    if verdict == KILL:
        os.kill(inside.pid, signal.SIGKILL)
        return
    flags = _CONTINUE if verdict == PASS else 0
    _ioctl(listener, _SEND, bytearray(struct.pack("=QqiI", number, 0, -verdict, flags)))


def _matters(operation: Operation, folders: tuple[str, ...]) -> bool:
    if operation.name in NETWORK:
        return operation.process.is_network(operation.name, operation.args)
    if operation.name == "fcntl" and operation.args[1] not in _LOCKING:
        return False
    return any(path.startswith(folders) for path in operation.paths)


def cut_power(mount: str) -> None:
    """From now on nothing reaches the disk below this mount, not even what its journal holds (root only)."""
    fd = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
    finally:
        os.close(fd)


def _ioctl(fd: int, request: int, data: bytearray) -> bool:
    """False when whoever asked is gone by now."""
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    if _libc.ioctl(fd, ctypes.c_ulong(request), buffer) == 0:
        return True
    if ctypes.get_errno() in {errno.ENOENT, errno.EINTR}:
        return False
    raise OSError(ctypes.get_errno(), "the gate")
