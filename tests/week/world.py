"""Folders, disks and whoever writes into them, in simulated time but for real."""

from __future__ import annotations

import hashlib
import io
import os
import random
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.standin import marks
from tests.week.clock import START
from tests.week.decoders import BREAKS
from tests.week.plan import HOUR
from tests.week.servers import MODEL, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.week.clock import Simulation
    from tests.week.plan import Arrival, Plan, Trouble

_EPOCH = 1_700_000_000
_PATIENCE = 1800.0
"""Seconds for which a disk waits with filling up until something is being read: that is the worst moment."""


class Folders:
    """Where everything lies below `root`: inboxes, a disk for the state, a disk for some inboxes' done/."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self.root = root
        self.plan = plan
        self.disks = {"state": root / "state_disk", "shelf": root / "shelf_disk"}
        self.inboxes = {box.name: root / "inboxes" / box.name for box in plan.boxes}
        self.state = self.disks["state"] / "state"
        self.done, self.failed = {}, {}
        for box in plan.boxes:
            shelf = self.disks["shelf"] / box.name if box.shelf else self.inboxes[box.name]
            self.done[box.name], self.failed[box.name] = shelf / "done", shelf / "failed"

    def make(self, *, mounted: bool) -> Path:
        """Everything, and a configuration that names it; `mounted`: each disk is a file system of its own."""
        if mounted:
            _mount(self.root, "500m")
        for disk in self.disks.values():
            disk.mkdir(parents=True)
            if mounted:
                _mount(disk, "150m")
        folders = (*self.inboxes.values(), *self.done.values(), *self.failed.values())
        for folder in (self.root / "elsewhere", self.state, *folders):
            folder.mkdir(parents=True, exist_ok=True)
        config = self.root / "dropscribe.yaml"
        config.write_text(yaml.safe_dump(self._config()))
        config.chmod(0o600)
        return config

    def _config(self) -> dict:
        return {
            "ollama": {"hosts": [{"url": s.name, "parallel": s.parallel} for s in self.plan.servers]},
            "state": str(self.state),
            "defaults": {
                "model": MODEL,
                "free_space": "1MB",
                "watch": "poll",
                "prompt": "Read the page.\n",
                "prepare": {"turn": False},
                "verify": "off",
            },
            "inboxes": [
                {
                    "path": str(self.inboxes[box.name]),
                    "rescan": f"{box.rescan:.0f}s",
                    "done": str(self.done[box.name]),
                    "failed": str(self.failed[box.name]),
                    "output": {"folder": str(self.done[box.name])},
                }
                for box in self.plan.boxes
            ],
        }


class Outside:
    """Whoever brings scans and troubles; everything happens in the simulation's events."""

    def __init__(self, folders: Folders, simulation: Simulation) -> None:
        self.folders = folders
        self.simulation = simulation
        self.delivered: dict[str, tuple[Arrival, str]] = {}
        """By digest (links by what they point at): what it was, and the name under which it came."""
        self.newest: dict[tuple[str, str], tuple[Arrival, float]] = {}
        """By inbox and name: what came last, and when it was whole."""
        self.began: dict[Trouble, float] = {}
        self.half: list[str] = []
        self._texts: set[str] = set()

    def expect(self) -> None:
        plan, time = self.folders.plan, self.simulation
        for arrival in plan.arrivals:
            time.at(START + arrival.at, lambda arrival=arrival: self._deliver(arrival))
        for trouble in plan.troubles:
            if trouble.what in {*self.folders.inboxes, *self.folders.disks}:
                time.at(START + trouble.start, lambda trouble=trouble: self._begin(trouble))
                time.at(START + trouble.end, lambda trouble=trouble: self._end(trouble))
        for hour in range(int(plan.seconds / HOUR) + 1):
            time.at(START + hour * HOUR, self.look_for_half_texts)

    # --- scans

    def _deliver(self, arrival: Arrival) -> bool:
        folder = self._root_of(arrival.inbox)
        name = arrival.name
        if os.path.lexists(folder / name):  # no scanner writes over what lies there
            name = f"{arrival.number}-{name}"
        if arrival.kind == "link":
            (folder / name).symlink_to(f"{arrival.number}")
            self._date(folder / name)
            self.delivered[f"{arrival.number}"] = arrival, name
            self._arrived(arrival, name)
            return self._rings(arrival)
        data = scan(arrival)
        self.delivered[hashlib.sha256(data).hexdigest() if data else f"empty {name}"] = arrival, name
        if arrival.kind == "in pieces":
            (folder / name).write_bytes(data[: len(data) // 2])
            self.simulation.at(self.simulation.now() + 2.0, lambda: self._go_on(arrival, name, data))
        else:
            self._write(folder / name, data, "wb")
        self._arrived(arrival, name)
        return self._rings(arrival)

    def _go_on(self, arrival: Arrival, name: str, data: bytes) -> bool:
        self._write(self._root_of(arrival.inbox) / name, data[len(data) // 2 :], "ab")
        self._arrived(arrival, name)
        return self._rings(arrival)

    def _write(self, path: Path, data: bytes, how: str) -> None:
        with path.open(how) as file:
            file.write(data)
        self._date(path)

    def _date(self, path: Path) -> None:
        at = int((_EPOCH + self.simulation.now()) * 1e9)
        os.utime(path, ns=(at, at), follow_symlinks=False)

    def _arrived(self, arrival: Arrival, name: str) -> None:
        self.newest[arrival.inbox, name] = arrival, self.simulation.now()

    def _rings(self, arrival: Arrival) -> bool:
        heard = next(box.heard for box in self.folders.plan.boxes if box.name == arrival.inbox)
        there = self._root_of(arrival.inbox) == self.folders.inboxes[arrival.inbox]
        lost = random.Random(f"{self.folders.plan.seed} {arrival.number}").random() < 0.1
        return heard and there and not lost

    def _root_of(self, inbox: str) -> Path:
        """Where the server keeps it, whether it is mounted here or not."""
        elsewhere = self.folders.root / "elsewhere" / inbox
        return elsewhere if elsewhere.exists() else self.folders.inboxes[inbox]

    # --- troubles

    def _begin(self, trouble: Trouble) -> bool:
        waited = self.simulation.now() - START - trouble.start
        if not self.simulation.busy and waited < min(_PATIENCE, (trouble.end - trouble.start) / 2):
            self.simulation.at(self.simulation.now() + 7.0, lambda: self._begin(trouble))
            return False
        self.began[trouble] = self.simulation.now()
        if trouble.kind == "disk full":
            _fill(self.folders.disks[trouble.what])
            return False
        inbox = self.folders.inboxes[trouble.what]
        inbox.rename(self.folders.root / "elsewhere" / trouble.what)
        if trouble.kind == "share emptied":
            inbox.mkdir()
        return False

    def _end(self, trouble: Trouble) -> bool:
        if trouble.kind == "disk full":
            (self.folders.disks[trouble.what] / "ballast").unlink()
            return False
        inbox = self.folders.inboxes[trouble.what]
        if trouble.kind == "share emptied":
            inbox.rmdir()  # fails if the daemon has put anything there
        (self.folders.root / "elsewhere" / trouble.what).rename(inbox)
        return False

    # --- what must never be seen

    def look_for_half_texts(self) -> bool:
        for path in self.texts():
            if path not in self._texts:
                self._texts.add(path)
                content = Path(path).read_text()
                number = re.match(r"scan (\d+)\n", content)
                if number is None or content != text_of(int(number[1])) + "\n":
                    self.half.append(f"{path}: {content!r}")
        return False

    def texts(self) -> Iterator[str]:
        for inbox, done in self.folders.done.items():
            where = (
                self._root_of(inbox) / "done" if done.is_relative_to(self.folders.inboxes[inbox]) else done
            )
            if where.is_dir():
                yield from (entry.path for entry in os.scandir(where) if entry.name.endswith(".md"))


def scan(arrival: Arrival) -> bytes:
    """The bytes of a scan of its kind, different for each number."""
    if arrival.kind == "empty":
        return b""
    if arrival.kind == "garbage":
        return f"{arrival.number}: a letter to the wrong printer\n".encode() * 5
    info = PngInfo()
    info.add_text("scan", str(arrival.number))
    if arrival.kind == "breaks the decoder":
        info.add_text("comment", BREAKS.decode())
    data = io.BytesIO()
    _picture(arrival.number).save(data, "PNG", pnginfo=info)
    whole = data.getvalue()
    return whole[:-40] if arrival.kind == "cut short" else whole


def _picture(number: int) -> Image.Image:
    """As in `marks.draw`, without the words below: they take most of its time."""
    blocks = Image.new("L", (marks.COLUMNS, marks.ROWS))
    blocks.putdata([0 if bit else 255 for bit in marks._bits(number)])
    width, height = marks.SMALLEST
    picture = Image.new("L", (width, height), 255)
    picture.paste(blocks.resize((width, round(height * marks.STRIP)), Image.Resampling.NEAREST), (0, 0))
    return picture


def _mount(folder: Path, size: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", folder], check=True)


def _fill(disk: Path) -> None:
    """To the last block."""
    with (disk / "ballast").open("wb") as ballast:
        found = os.statvfs(disk)
        length = found.f_bfree * found.f_frsize
        os.posix_fallocate(ballast.fileno(), 0, length)
    assert not os.statvfs(disk).f_bavail
