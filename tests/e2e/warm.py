"""The real daemon without the second that its imports take: forked from a process that has done them.

`python -m tests.e2e.warm` forks a daemon for each line (its config, TAB, its log) and says its number; what
becomes of it is for others to find out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


class Begetter:
    """The process that forks daemons; a context manager."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.warm"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def beget(self, home):
        """A daemon in `home`, as if its command had been given."""
        print(f"{home.config}\t{home.log}", file=self._process.stdin, flush=True)
        home.process = Forked(int(self._process.stdout.readline()))
        return home


class Forked:
    """As much of Popen as a household needs."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        return None if is_alive(self.pid) else -9

    def kill(self):
        with suppress(ProcessLookupError):  # somebody was faster
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout):
        pause = threading.Event()
        for _ in range(int(timeout / 0.01)):
            if not is_alive(self.pid):
                return
            pause.wait(0.01)
        raise TimeoutError(self.pid)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def main():
    from dropscribe.cli import main as command
    from dropscribe.cli import run  # noqa: F401 - with all that it imports
    from dropscribe.reading.engines import ollama  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        config, _, log = line.rstrip("\n").partition("\t")
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            null = os.open(os.devnull, os.O_RDONLY)
            for old, new in ((null, 0), (fd, 1), (fd, 2)):
                os.dup2(old, new)
            sys.argv = ["dropscribe", "run", "-c", config]
            sys.exit(command())
        print(pid, flush=True)


if __name__ == "__main__":
    main()
