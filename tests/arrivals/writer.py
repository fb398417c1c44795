"""Writes into an inbox as scanners, browsers and file servers do: a process of its own that carries out a script.

    python tests/arrivals/writer.py < SCRIPT

SCRIPT is a JSON list of steps, each a list of the name of a method of Writer and its arguments. Paths are absolute
or relative to the working folder, "payload" arguments are files whose bytes are written. It prints one line, the
reading of the monotonic clock at each `complete`, so that others know from when on nothing was missing.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time

_A_MOMENT = 0.02  # seconds between two looks at something that nobody announces


class Writer:
    def __init__(self):
        self._open = {}
        self._never = threading.Event()

    def run(self, script):
        for step, *arguments in script:
            getattr(self, step)(*arguments)

    def wait(self, seconds):
        self._never.wait(seconds)

    def until(self, path):
        """Until something is there, however it came."""
        while not os.path.lexists(path):
            self._never.wait(_A_MOMENT)

    def until_gone(self, path):
        while os.path.lexists(path):
            self._never.wait(_A_MOMENT)

    def complete(self):
        print(time.monotonic(), flush=True)

    def for_ever(self):
        self._never.wait()

    def run_program(self, *command):
        """What only another program can do, such as mounting."""
        subprocess.run(command, check=True, capture_output=True)

    # --- one open file at a time has a path; each write is one system call

    def open(self, path, mode="wb"):
        self._open[path] = open(path, mode, buffering=0)

    def close(self, path):
        self._open.pop(path).close()

    def write(self, path, payload, start=0, end=None, at=None):
        if at is not None:
            self._open[path].seek(at)
        self._open[path].write(_bytes(payload)[start:end])

    def fallocate(self, path, size):
        os.posix_fallocate(self._open[path].fileno(), 0, size)

    def truncate(self, path, size):
        os.truncate(path, size)

    def grow(self, path, payload):
        """What is new at the end first, then what points to it, as one does who adds a page to a TIFF."""
        new = _bytes(payload)
        with open(path, "r+b", buffering=0) as file:
            old = file.read()
            file.write(new[len(old) :])
            for place in (place for place, byte in enumerate(old) if new[place] != byte):
                file.seek(place)
                file.write(new[place : place + 1])

    # --- names

    def rename(self, path, to):
        os.replace(path, to)

    def move(self, path, to):
        """As `mv` does, also from another file system."""
        shutil.move(path, to)

    def mtime(self, path, seconds):
        os.utime(path, (seconds, seconds))

    def mtime_back(self, path, seconds):
        found = os.stat(path)
        os.utime(path, (found.st_atime, found.st_mtime - seconds))

    def unlink(self, path):
        os.unlink(path)

    def mkdir(self, path):
        os.makedirs(path)

    def rmtree(self, path):
        shutil.rmtree(path)

    def chmod(self, path, mode):
        os.chmod(path, mode)

    def link(self, path, to):
        os.link(path, to)

    def symlink(self, target, path):
        os.symlink(target, path)

    def fifo(self, path):
        os.mkfifo(path)

    def device(self, path):
        """/dev/null once more; only root may make one."""
        os.mknod(path, 0o20666, os.makedev(1, 3))


def _bytes(payload):
    with open(payload, "rb") as file:
        return file.read()


if __name__ == "__main__":
    Writer().run(json.load(sys.stdin))
