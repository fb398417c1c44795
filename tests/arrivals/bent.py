"""The daemon in a world that a test bends while it runs: another wall clock, a disk that is sick at one file.

    python -m tests.arrivals.bent FOLDER VERB …     (otherwise as `python -m dropscribe`)

What holds is said by files in FOLDER: `clock` the seconds that the wall clock is ahead, `trouble` the name of a scan
and the errors that opening (`open`) and reading (`read`) it get, or that it goes away right before it is moved
(`move`). Each is looked at anew at every call. `no-locks`: locks are given to everybody, as on some shares.
`deaf`: no event of the kernel is passed on. `pace`, at the start: the daemon's clock runs so many times as fast.
"""

import errno
import fcntl
import json
import os
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv.pop(1)) if __name__ == "__main__" else Path()

_time, _open, _pread, _flock = time.time, os.open, os.pread, fcntl.flock


def _said(name):
    try:
        return json.loads((FOLDER / name).read_bytes())
    except (OSError, ValueError):
        return None


def _raise(name, step):
    trouble = _said("trouble") or {}
    if (code := trouble.get(os.fsdecode(name), {}).get(step)) is not None:
        number = getattr(errno, code)
        raise OSError(number, os.strerror(number))


def _bent_time():
    return _time() + (_said("clock") or 0)


def _bent_open(path, flags, mode=0o777, *, dir_fd=None):
    if dir_fd is not None:
        _raise(path, "open")
    return _open(path, flags, mode, dir_fd=dir_fd)


def _bent_pread(fd, size, offset):
    _raise(Path(f"/proc/self/fd/{fd}").readlink().name, "read")
    return _pread(fd, size, offset)


def _bent_flock(fd, operation):
    if not (FOLDER / "no-locks").exists():
        _flock(fd, operation)


def bend():
    time.time, os.open, os.pread, fcntl.flock = _bent_time, _bent_open, _bent_pread, _bent_flock
    from dropscribe.filing.disk import Disk

    move = Disk.rename_noreplace

    def rename_noreplace(disk, folder, name, new_folder, new_name):
        if "move" in (_said("trouble") or {}).get(name, {}):
            os.unlink(name, dir_fd=folder)
        move(disk, folder, name, new_folder, new_name)

    Disk.rename_noreplace = rename_noreplace
    _bend_events()
    if pace := _said("pace"):
        _bend_clock(pace)


def _bend_events():
    from watchdog.observers.inotify_c import InotifyFD

    handle = InotifyFD.handle_event

    def handle_event(reader, event):
        if not (FOLDER / "deaf").exists():
            handle(reader, event)

    InotifyFD.handle_event = handle_event


def _bend_clock(pace):
    from dropscribe.daemon import Clock

    now, wait = Clock.now, Clock.wait
    Clock.now = lambda clock: now(clock) * pace
    Clock.wait = lambda clock, bell, seconds: wait(clock, bell, seconds / pace)


if __name__ == "__main__":
    bend()
    from dropscribe.cli import main

    sys.exit(main())
