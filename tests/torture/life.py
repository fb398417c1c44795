"""One life of the daemon in a process of its own, which nothing but the gate knows to be a rehearsal.

`python -m tests.torture.life` imports everything once, then forks a life for each line of JSON that it reads:
what the gate does to it, and when. It answers with a line that says how the life ended.
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import socket
import sys
import tempfile
import traceback
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dropscribe import log
from dropscribe.config.load import load
from dropscribe.daemon import Clock, run
from dropscribe.errors import DropscribeError
from dropscribe.reading.engines import ollama  # noqa: F401 - imported by a thread otherwise, in each life
from dropscribe.stop import Stop
from tests.torture import gate, power
from tests.torture.decoders import open_nursery

STUCK = 3
"""Exit code of a life that had hours, and left something unfiled."""

REFUSED = 4
"""Exit code of a life that said in plain words why it cannot begin."""

_LEFT = ("arriving", "waiting", "kept_back", "reading", "refused")
_HOURS = 6 * 3600.0


@dataclass(frozen=True)
class Fate:
    """What befalls a life: before operation `at` (from 0; None for never) it is killed, or `errno` strikes.

    `changes`: count only operations that change something. `lasting`: that many operations fail.
    """

    at: int | None = None
    errno: int = 0
    changes: bool = True
    lasting: int = 1
    power: tuple[str, ...] = ()  # mounted file systems that lose their power at that moment
    record: str = ""  # the file to which all that changes something is written down, with the log


@dataclass(frozen=True)
class Told:
    """How a life ended: `code` as of subprocess, `operations` counted, `struck` the one, `said` its last words."""

    code: int
    operations: int
    struck: str = ""
    kinds: dict[str, int] = field(default_factory=dict)
    said: str = ""

    @property
    def killed(self) -> bool:
        return self.code < 0


class Leaping(Clock):
    """While nothing is being read, hours pass in no time."""

    def __init__(self) -> None:
        self._leapt = 0.0
        self.busy = False
        self.began = super().now()

    def now(self) -> float:
        return super().now() + self._leapt

    def wait(self, bell: Any, seconds: float) -> bool:
        if self.busy:
            return super().wait(bell, min(seconds, 1.0))
        rung = super().wait(bell, 0)
        if not rung:
            self._leapt += seconds
        return rung


def live(config: Path) -> int:
    """Until everything is filed; in a world that is well again that takes a few minutes of leaping time."""
    clock = Leaping()
    outcome: list[int] = []

    def over(status: Any) -> bool:
        clock.busy = any(host.busy for host in status.hosts)
        left = sum(sum(inbox.counts[what] for what in _LEFT) for inbox in status.inboxes)
        parked = any(inbox.parked for inbox in status.inboxes)
        if not left and not parked and not clock.busy:
            outcome.append(0)
        elif clock.now() - clock.began > _HOURS:
            print("stuck:", json.dumps(status.as_json()))
            outcome.append(STUCK)
        return bool(outcome)

    try:
        run(load(config, {}, config.parent), Stop(), until=over, clock=clock)
    except DropscribeError as error:
        print("refused:", error)
        return REFUSED
    return outcome[-1]


# --- begetting


def _beget(config: Path, out: Path, folders: tuple[str, ...], fate: Fate) -> Told:
    ours, theirs = socket.socketpair()
    before = out.stat().st_size if out.exists() else 0
    pid = os.fork()
    if pid == 0:
        _be_born(config, out, theirs)
    theirs.close()
    with ours:
        _, (listener, *_), _, _ = socket.recv_fds(ours, 1, 1)
    keeper = _Keeper(fate)
    if fate.record:
        folders = (*folders, str(out))
    code = gate.keep(pid, listener, folders, keeper.judge)
    if fate.record:
        Path(fate.record).write_bytes(pickle.dumps(keeper.events))
    with out.open("rb") as said:
        said.seek(before)
        last = said.read()[-4000:].decode("utf-8", "replace")
    return Told(code, keeper.count, keeper.struck, dict(keeper.kinds), last)


def _be_born(config: Path, out: Path, theirs: socket.socket) -> None:
    code = 99
    try:
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)
        log.configure("plain", "info", sys.stderr)
        gate.enter(theirs)
        theirs.close()
        code = live(config)
    except BaseException:  # noqa: BLE001 - nothing may get back into the parent's loop
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


_NEVER_FAIL = gate.NETWORK | {"close", "fcntl", "flock", "fstat"}
"""What no disk refuses: kernels close whatever they say (which the gate cannot do), and keep locks in memory."""


class _Keeper:
    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self.count = 0
        self.struck = ""
        self.kinds: Counter[str] = Counter()
        self.events: list[power.Event] = []

    def judge(self, operation: gate.Operation) -> gate.Verdict:
        if self.fate.changes and not operation.changes:
            return gate.PASS
        number, self.count = self.count, self.count + 1
        self.kinds[operation.name] += 1
        if self.fate.record and (event := power.event_of(operation)):
            self.events.append(event)
        at = self.fate.at
        if at is None or not at <= number < at + self.fate.lasting:
            return gate.PASS
        if not self.fate.errno:
            self.struck = str(operation)
            for mount in self.fate.power:
                gate.cut_power(mount)
            return gate.KILL
        if operation.name in _NEVER_FAIL:
            return gate.PASS
        self.struck = self.struck or str(operation)
        return self.fate.errno


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lives") as folder:
        sys.executable = open_nursery(Path(folder))
        gc.freeze()
        for line in sys.stdin:
            order = json.loads(line)
            told = _beget(
                Path(order["config"]), Path(order["log"]), tuple(order["folders"]), Fate(**order["fate"])
            )
            print(json.dumps(asdict(told)), flush=True)


if __name__ == "__main__":
    main()
