"""Folders as values, and the small conductor that the tests of stops and faults restart."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from dropscribe.filing import atomic
from dropscribe.values import Fingerprint

SCAN = b"a picture" * 1000
TEXT = b"What the picture says.\n"


NAME, TEXT_NAME = "scan-0123456789ab.png", "scan-0123456789ab.md"  # unique, so that every disk takes them


def tree(folder):
    """Content by relative path: bytes, `-> target` for links, `folder` for an empty folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = os.fspath(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            if not any(path.iterdir()):
                found[name] = "folder"
        else:
            found[name] = path.read_bytes() if path.is_file() else "special"
    return found


def visible(folder):
    return {name: content for name, content in tree(folder).items() if "/." not in f"/{name}"}


def digest(data):
    return hashlib.sha256(data).hexdigest()


DIGEST = digest(SCAN)


def seen(path):
    return Fingerprint.of(path.lstat())


def move(inbox, done, disk, *, name="scan.png", to=NAME, expected=None, sha256=DIGEST):
    atomic.move(inbox, name, expected or seen(inbox / name), done, to, sha256, disk=disk)


def lay(bait, path, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"not yours")
    match bait:
        case "file":
            path.write_bytes(b"older")
        case "empty file":
            path.write_bytes(b"")
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(victim)
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "fifo":
            os.mkfifo(path)


@dataclass
class World:
    """An inbox with one scan, a folder for what is filed, and strangers' files that nobody may touch."""

    inbox: Path
    done: Path
    texts: Path | None = None  # where texts go, if that is not `done`
    scan: str = "scan.png"
    filed_scan: str = "scan-2.png"
    filed_text: str = "scan-2.md"
    bait: dict = field(default_factory=lambda: {"scan.png": b"an older scan", "scan.md": b"an older text"})

    def __post_init__(self):
        self.inbox.mkdir(parents=True)
        self.done.mkdir(parents=True)
        if self.texts is None:
            self.texts = self.done
        else:
            self.texts.mkdir(parents=True)
        (self.inbox / self.scan).write_bytes(SCAN)
        for name, data in self.bait.items():
            (self.done / name).write_bytes(data)

    @property
    def source(self):
        return self.inbox / self.scan

    def file(self, disk):
        """What the conductor does from its intent, whether this is the first time or after a stop."""
        for folder in {self.inbox, self.done, self.texts}:
            atomic.sweep(folder, disk=disk)
        if not atomic.holds(self.texts, self.filed_text, digest(TEXT), disk=disk):
            atomic.publish(self.texts, self.filed_text, TEXT, disk=disk)
        is_there = atomic.holds(self.done, self.filed_scan, digest(SCAN), disk=disk)
        if atomic.has_left(self.inbox, self.scan, disk=disk):
            return
        step = atomic.remove_source if is_there else atomic.move
        fingerprint = seen(self.source)
        step(self.inbox, self.scan, fingerprint, self.done, self.filed_scan, digest(SCAN), disk=disk)

    def check_whole(self):
        """What must be true at every moment, whatever stopped us."""
        inbox, done, texts = visible(self.inbox), visible(self.done), visible(self.texts)
        assert {name: done.get(name) for name in self.bait} == self.bait
        assert set(inbox) <= {self.scan}
        assert set(done | texts) <= {*self.bait, self.filed_scan, self.filed_text}
        assert inbox.get(self.scan, SCAN) == SCAN
        assert done.get(self.filed_scan, SCAN) == SCAN
        assert texts.get(self.filed_text, TEXT) == TEXT
        assert self.scan in inbox or self.filed_scan in done, "the scan is lost"
        assert self.filed_scan not in done or self.filed_text in texts, "a scan is filed without its text"

    def check_filed(self):
        assert tree(self.inbox) == {}
        assert tree(self.done) | tree(self.texts) == {
            **self.bait,
            self.filed_scan: SCAN,
            self.filed_text: TEXT,
        }
