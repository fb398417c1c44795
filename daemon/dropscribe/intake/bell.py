"""The bell that wakes whoever looks at the inboxes; only importer of watchdog.

An event says nothing but "look": which one it was, which file it named and how often it came carry no
meaning, because events are lost, doubled and reordered on every system (watchdog#654, #1094, #990).
Only canaries are known by their names: they prove that events come, and are nothing to look at.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from dropscribe.intake.canary import PREFIX
from dropscribe.values import Listened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from watchdog.observers.api import BaseObserver, ObservedWatch

if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter, InotifyObserver
    from watchdog.observers.inotify_c import InotifyConstants, Mask

    class _Emitter(InotifyEmitter):
        def get_event_mask_from_filter(self) -> Mask:
            """Without what leaves a folder: it is nothing to look at.

            Each scan that is filed leaves its inbox, and watchdog would hold back the events after that for
            half a second (inotify_move_event_grouper.py), waiting for the other half of a rename.
            """
            leaving = InotifyConstants.IN_MOVED_FROM | InotifyConstants.IN_DELETE
            return Mask(super().get_event_mask_from_filter() & ~leaving)

    class _Observer(InotifyObserver):
        def __init__(self) -> None:
            super().__init__()
            self._emitter_class = _Emitter

    _HAS_EVENTS = True
else:
    from watchdog.observers import Observer as _Observer

    _HAS_EVENTS = "Polling" not in getattr(_Observer, "__name__", "")

MOST_FOLDERS = 100
"""Each watched folder costs a thread; an inbox with more folders is better looked at by the clock."""

# Not opened, read or closed unwritten: our own reading must not ring. FileModified asks the kernel for
# IN_ATTRIB too; a chmod that makes a scan readable gives nothing else.
_RINGING: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileClosedEvent,
    FileModifiedEvent,
    FileAttribEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirAttribEvent,
    DirDeletedEvent,
]

_OVERFLOW_LOG = logging.getLogger("watchdog.observers.inotify_c")

_WORDS = {
    errno.ENOSPC: "the limit of watched folders is reached; raise fs.inotify.max_user_watches with sysctl",
    # The kernel says the same of both limits.
    errno.EMFILE: "the limit of watchers or of open files is reached;"
    " raise fs.inotify.max_user_instances with sysctl, or the limit of open files",
    errno.ENFILE: "too many files are open on this machine",
    errno.ENOENT: "it does not exist",
    errno.ENOTDIR: "it is not a folder",
    errno.EACCES: "there is no permission to read it",
}


@dataclass(frozen=True, slots=True)
class _Heard:
    watch: ObservedWatch
    identity: tuple[int, int]


class Bell:
    """Rings when something may have arrived in a watched folder; silent for what is only read or leaves.

    All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._rung = False
        self._rung_lock = threading.Lock()
        self._lock = threading.Lock()
        self._canaries: dict[str, bool] = {}
        self._overflows = 0
        self._handler = _Ringing(self.ring, self._hear_canary)
        self._wanted: dict[str, frozenset[str]] = {}
        self._heard: dict[str, _Heard] = {}
        self._observer: BaseObserver | None = None
        # An overflow of the kernel's queue shows in this warning alone, so it must not be silenced.
        self._overflow = _OverflowRings(self._overflowed)
        _OVERFLOW_LOG.addFilter(self._overflow)
        _OVERFLOW_LOG.setLevel(logging.WARNING)
        # Where warnings are errors, one of these would end watchdog's reading thread in silence.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")

    def ring(self) -> None:
        with self._rung_lock:
            self._rung = True
            self._woken.set()

    def nudge(self) -> None:
        """End a wait without ringing, for what is no reason to look."""
        self._woken.set()

    def wait(self, timeout: float | None) -> bool:
        """Waits until it rings or is nudged, at most `timeout` seconds; whether it rang.

        The bell is silent again before this returns: whoever looks afterwards misses nothing.
        """
        self._woken.wait(timeout)
        with self._rung_lock:
            self._woken.clear()
            rang, self._rung = self._rung, False
        return rang

    def watch(self, key: str, folders: Sequence[Path]) -> str | None:
        """Listens in exactly `folders` for the inbox `key`; rings when it had to begin with one of them.

        To be called after every look: a folder that was replaced, remounted or lost is listened to anew.
        Returns why events cannot be had for all of them, and then somebody must look by the clock.
        """
        if not _HAS_EVENTS:
            return "this system does not tell what changes in its folders"
        wanted = frozenset(os.fspath(folder) for folder in folders)
        with self._lock:
            self._wanted[key] = wanted
            self._forget_deaf()
            for path in self._heard.keys() - frozenset().union(*self._wanted.values()):
                self._forget(path)
            reasons = [reason for path in sorted(wanted) if (reason := self._hear(path))]
        return reasons[0] if reasons else None

    def listened(self, key: str) -> Mapping[int, Listened]:
        """What is listened to for the inbox `key`: for each device the one folder with the shortest path."""
        with self._lock:
            listened = self._wanted.get(key, frozenset()) & self._heard.keys()
            found: dict[int, Listened] = {}
            for path in sorted(listened, key=lambda path: (len(path), path)):
                dev, ino = self._heard[path].identity
                found.setdefault(dev, Listened(Path(path), ino))
            return found

    def overflows(self) -> int:
        """How often the kernel had no room for events since this was asked last."""
        with self._rung_lock:
            times, self._overflows = self._overflows, 0
        return times

    # --- canaries

    def expect(self, canary: str) -> None:
        """Remember whether an event names the file `canary`; to be called before that is made."""
        with self._rung_lock:
            self._canaries[canary] = False

    def has_heard(self, canary: str) -> bool:
        with self._rung_lock:
            return self._canaries.get(canary, False)

    def forget(self, canary: str) -> None:
        with self._rung_lock:
            self._canaries.pop(canary, None)

    def _hear_canary(self, name: str) -> None:
        with self._rung_lock:
            if name in self._canaries:
                self._canaries[name] = True

    def _overflowed(self) -> None:
        with self._rung_lock:
            self._overflows += 1
        self.ring()

    def close(self) -> None:
        """Ends all of watchdog's threads."""
        with self._lock:
            self._wanted.clear()
            self._stop_observer()
            _OVERFLOW_LOG.removeFilter(self._overflow)

    def _hear(self, path: str) -> str | None:
        """Listens in `path` unless that goes on already; returns why it cannot."""
        try:
            # Asked before the watch begins: if another folder takes this place now, the next call sees it.
            found = os.stat(path)  # noqa: PTH116
            identity = (found.st_dev, found.st_ino)
            if path in self._heard and self._heard[path].identity == identity:
                return None
            self._forget(path)
            if len(self._heard) >= MOST_FOLDERS:
                return f"{path}: no more than {MOST_FOLDERS} folders are watched"
            if not os.access(path, os.R_OK):  # watchdog takes this refusal for success
                return f"{path}: {_WORDS[errno.EACCES]}"
            self._heard[path] = _Heard(self._schedule(path), identity)
        except OSError as error:
            return f"{path}: {_WORDS.get(error.errno or 0, error.strerror)}"
        except RuntimeError as error:
            # No thread for this folder; what was begun for it would collect events that nobody reads.
            self._stop_observer()
            return f"{path}: {error}"
        self.ring()
        return None

    def _schedule(self, path: str) -> ObservedWatch:
        if self._observer is None:
            observer = _Observer()
            observer.start()
            self._observer = observer
        return self._observer.schedule(self._handler, path, event_filter=_RINGING, follow_symlink=True)

    def _forget_deaf(self) -> None:
        """Drops what no longer listens: watchdog's observer claims to live through all of this."""
        if self._observer is None:
            return
        reader = getattr(self._observer, "_inotify_fd", self._observer)
        if not (self._observer.is_alive() and reader.is_alive()):
            self._stop_observer()
            return
        emitters = self._observer.emitters
        listening = {
            emitter.watch for emitter in emitters if emitter.is_alive() and emitter.should_keep_running()
        }
        for path in [path for path, heard in self._heard.items() if heard.watch not in listening]:
            self._forget(path)

    def _forget(self, path: str) -> None:
        heard = self._heard.pop(path, None)
        if heard and self._observer:
            with suppress(KeyError, OSError):  # it is gone already
                self._observer.unschedule(heard.watch)

    def _stop_observer(self) -> None:
        self._heard.clear()
        observer, self._observer = self._observer, None
        if observer:
            observer.stop()
            observer.join()


class _Ringing(FileSystemEventHandler):
    def __init__(self, ring: Callable[[], None], hear_canary: Callable[[str], None]) -> None:
        self._ring = ring
        self._hear_canary = hear_canary

    def dispatch(self, event: FileSystemEvent) -> None:
        """Nothing that could raise: an exception here would end watchdog's thread."""
        name = _name_in(event)
        # One that comes late is nothing to look at either.
        if name.startswith(PREFIX):
            self._hear_canary(name)
        else:
            self._ring()


def _name_in(event: FileSystemEvent) -> str:
    """The last part of what `event` names; of a file that was renamed its new name."""
    try:
        return os.fsdecode(event.dest_path or event.src_path).rpartition("/")[2]
    except Exception:  # noqa: BLE001 - whatever it names, it rings
        return ""


class _OverflowRings(logging.Filter):
    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__()
        self._overflowed = overflowed

    def filter(self, record: logging.LogRecord) -> bool:
        """The overflow is told in our own words; what else is said there passes."""
        if "overflow" not in str(record.msg):
            return True
        self._overflowed()
        return False
