"""Locks of the kernel: who holds one is alone, and it is given back however the holder ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dropscribe.errors import InUse, world_wrong
from dropscribe.intake.mounts import mount_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropscribe.config.values import Inbox


@contextmanager
def locked(path: Path, what: str, advice: str) -> Iterator[None]:
    """Hold the lock file `path`, made if it is missing.

    Raises InUse, with `what` is held and the advice what to do, if another process holds it.
    """
    with _held(path, os.O_RDWR | os.O_CREAT, what, advice):
        yield


@contextmanager
def locked_inbox(inbox: Inbox, state: Path) -> Iterator[None]:
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
def locked_folder(path: Path, what: str, advice: str) -> Iterator[None]:
    """The same with a folder that is its own lock."""
    with _held(path, os.O_RDONLY | os.O_DIRECTORY, what, advice):
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file `path`; it is not made."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared, so that two who only ask do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _held(path: Path, flags: int, what: str, advice: str) -> Iterator[None]:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise world_wrong(error, path) from error
    try:
        _flock(descriptor, what, advice)
        yield
    finally:
        os.close(descriptor)


def _flock(descriptor: int, what: str, advice: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = _holder(descriptor)
        who = f" (process {process})" if process else ""
        raise InUse(f"another dropscribe{who} already has {what}; {advice}") from None
    except OSError as error:
        raise world_wrong(error, what) from error


def _holder(descriptor: int) -> int:
    """The process that holds the lock, where the kernel tells (Linux); else 0."""
    found = os.fstat(descriptor)
    where = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii") as locks:  # noqa: PTH123 - no path of anybody's
            lines = [line.split() for line in locks]
    except OSError:
        return 0
    holders = [words[4] for words in lines if words[1] == "FLOCK" and words[5] == where]
    return max(0, int(holders[0])) if holders else 0
