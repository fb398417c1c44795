"""The real daemon on a household of its own, and what it and its helpers need of memory (Linux)."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

READER = "ocr_worker"
"""Part of the command line of the process that the embedded engine reads in."""

_TICK = 0.02  # seconds


class Daemon:
    """`dropscribe run` on one inbox below `root`; `inbox` are keys of it, `ollama` that section of the config."""

    def __init__(self, root: Path, inbox: dict[str, Any], ollama: dict[str, Any] | None = None) -> None:
        self.inbox = root / "inbox"
        self.inbox.mkdir(exist_ok=True)
        self.log = root / "log.txt"
        config = {
            "state": str(root / "state"),
            "inboxes": [{"path": str(self.inbox), "settle": "200ms", "rescan": "2s", **inbox}],
            **({"ollama": ollama} if ollama else {}),
        }
        self._config = root / "dropscribe.yaml"
        self._config.write_text(yaml.safe_dump(config))

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "dropscribe", "run", "-c", str(self._config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.memory = Memory(self.process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.memory.close()
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def ended(self, name: str) -> Path | None:
        """Where the scan `name` is filed, once it is."""
        for folder in ("done", "failed"):
            if (self.inbox / folder / name).exists() and not (self.inbox / name).exists():
                return self.inbox / folder / name
        return None


class Memory:
    """Resident bytes of a process and its children, but for the embedded reader, looked at fifty times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self.peak = self.now()
        self.reader_peak = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def now(self) -> int:
        daemon, reader = _resident(self._pid)
        self.reader_peak = max(getattr(self, "reader_peak", 0), reader)
        return daemon

    def start(self) -> int:
        """Begin to look for a new peak; what is needed now."""
        self.peak = now = self.now()
        return now

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_TICK):
            self.peak = max(self.peak, self.now())


def _resident(pid: int) -> tuple[int, int]:
    """Of the process with its helpers, and of the embedded reader."""
    own = reader = 0
    for one in [pid, *_children(pid)]:
        try:
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
            command = Path(f"/proc/{one}/cmdline").read_text()
        except (OSError, IndexError):
            continue
        if READER in command:
            reader += pages * 4096
        else:
            own += pages * 4096
    return own, reader


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in children.read_text().split()]
        except OSError:
            continue
    return found


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition held within so many seconds."""
    pause = threading.Event()
    for _ in range(int(seconds / _TICK)):
        if condition():
            return True
        pause.wait(_TICK)
    return False
