"""What a power cut may leave of a whole pass, from a record of all its operations on files.

Content is safe once its file was fsynced, a name once its folder was; of what was not, any part may be lost:
single writes of a file in any combination, the newest names of each folder. A rename between folders may bring
its file back where it was, but never loses it. SQLite's files are files like all others.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.torture.gate import Operation

Event = tuple[Any, ...]  # what was done, to which path, and what else it takes

# --- recording, at the gate


def event_of(operation: Operation) -> Event | None:
    """The operation as it will be replayed; None for what changes nothing here."""
    name, args, inside = operation.name, operation.args, operation.process
    path = operation.paths[0]
    match name:
        case "open" | "openat":
            flags = args[1 if name == "open" else 2]
            return ("truncate" if flags & os.O_TRUNC else "create", path, 0)
        case "write":
            return "write", path, _position(inside.pid, args[0]), inside.data(args[1], args[2])
        case "pwrite64":
            return "write", path, args[3], inside.data(args[1], args[2])
        case "ftruncate":
            return "truncate", path, args[1]
        case "rename" | "renameat" | "renameat2":
            return "rename", path, operation.paths[1]
        case "link" | "linkat":
            return "link", path, operation.paths[1]
        case "unlink" | "unlinkat":
            return "unlink", path
        case "mkdir" | "mkdirat":
            return "mkdir", path
        case "fsync" | "fdatasync":
            return "sync", path
    return None


def _position(pid: int, fd: int) -> int:
    for line in Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines():
        if line.startswith("pos:"):
            return int(line.split()[1])
    raise AssertionError(fd)


# --- replaying


@dataclass(eq=False)
class File:
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: cut off there
    safe: int = 0

    def content(self, kept: Iterable[int]) -> bytes:
        data = bytearray()
        for number, (place, piece) in enumerate(self.writes):
            if number >= self.safe and number not in kept:
                continue
            size = place if piece is None else max(len(data), place + len(piece))
            data = data[:size].ljust(size, b"\0")
            if piece is not None:
                data[place : place + len(piece)] = piece
        return bytes(data)


@dataclass(eq=False)
class Change:
    """A name that appeared, or went (`node` is None), which `needs` another change to have lasted."""

    name: str
    node: File | Folder | None
    needs: Change | None = None


@dataclass(eq=False)
class Folder:
    changes: list[Change] = field(default_factory=list)
    safe: int = 0
    now: dict[str, File | Folder] = field(default_factory=dict)

    def change(self, name: str, node: File | Folder | None, needs: Change | None = None) -> Change:
        self.changes.append(Change(name, node, needs))
        if node is None:
            del self.now[name]
        else:
            self.now[name] = node
        return self.changes[-1]


class Disks:
    """Folders at absolute paths, and everything in them, after some of the recorded events."""

    def __init__(self, roots: Sequence[str]) -> None:
        self.roots = {root: Folder() for root in roots}
        self._folders = list(self.roots.values())
        self._files: list[File] = []

    def put(self, path: str, data: bytes, *, safe: bool) -> None:
        """A file that is there from the beginning, with a name that is safe, and content that may not be."""
        folder, name = self._place(path)
        file = File([(0, data)], int(safe))
        self._files.append(file)
        folder.change(name, file)
        folder.safe = len(folder.changes)

    def folder(self, path: str) -> None:
        self.apply(("mkdir", path))
        parent, _ = self._place(path)
        parent.safe = len(parent.changes)

    def apply(self, event: Event) -> None:
        what, path, *more = event
        if what == "sync":
            self._sync(path)
        elif what in {"rename", "link"}:
            self._name(path, more[0], goes=what == "rename")
        elif path not in self.roots:
            folder, name = self._place(path)
            found = folder.now.get(name)
            if found is None:
                self._make(what, folder, name)
            elif what == "unlink":
                folder.change(name, None)
            elif isinstance(found, File) and what in {"write", "truncate"}:
                found.writes.append((more[0], more[1] if what == "write" else None))

    def _sync(self, path: str) -> None:
        node = self._node(path)
        if node is not None:
            node.safe = len(node.writes if isinstance(node, File) else node.changes)

    def _make(self, what: str, folder: Folder, name: str) -> None:
        if what in {"create", "truncate"}:
            self._files.append(file := File())
            folder.change(name, file)
        elif what == "mkdir":
            self._folders.append(made := Folder())
            folder.change(name, made)

    def _name(self, path: str, new_path: str, *, goes: bool) -> None:
        """Nothing here ever replaces a file: where the new name is taken, the operation failed."""
        (folder, name), (new, new_name) = self._place(path), self._place(new_path)
        if name not in folder.now or new_name in new.now:
            return
        appeared = new.change(new_name, folder.now[name])
        if goes:
            folder.change(name, None, appeared)

    def _place(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        node = self._node(folder)
        assert isinstance(node, Folder), path
        return node, name

    def _node(self, path: str) -> File | Folder | None:
        root = next(root for root in self.roots if f"{path}/".startswith(f"{root}/"))
        node: File | Folder | None = self.roots[root]
        for part in path[len(root) :].split("/"):
            if part:
                node = node.now.get(part) if isinstance(node, Folder) else None
        return node

    # --- the cut

    def outcomes(self, chance: random.Random, most: int) -> Iterator[dict[str, bytes | None]]:
        """Trees that a cut may leave now, folders as None: all combinations, or `most` of them by chance."""
        folders = [(f, range(f.safe, len(f.changes) + 1)) for f in self._folders if f.safe < len(f.changes)]
        files = [(f, self._parts(f, chance)) for f in self._files if f.safe < len(f.writes)]
        choices = [choices for _, choices in (*folders, *files)]
        count = 1
        for each in choices:
            count *= len(each)
        if count <= most:
            picks: Iterable[tuple] = itertools.product(*choices)
        else:
            extremes = [tuple(each[0] for each in choices), tuple(each[-1] for each in choices)]
            picks = [*extremes, *(tuple(map(chance.choice, choices)) for _ in range(most - 2))]
        for pick in picks:
            lengths = dict(zip((id(f) for f, _ in folders), pick, strict=False))
            kept = dict(zip((id(f) for f, _ in files), pick[len(folders) :], strict=True))
            yield self._left(lengths, kept)

    def _parts(self, file: File, chance: random.Random) -> list[frozenset[int]]:
        unsafe = range(file.safe, len(file.writes))
        some = frozenset(number for number in unsafe if chance.random() < 0.5)
        return list(dict.fromkeys([frozenset(), some, frozenset(unsafe)]))

    def _left(
        self, lengths: Mapping[int, int], kept: Mapping[int, frozenset[int]]
    ) -> dict[str, bytes | None]:
        lasting: set[int] = set()
        for folder in self._folders:
            lasting.update(map(id, folder.changes[: lengths.get(id(folder), len(folder.changes))]))
        tree: dict[str, bytes | None] = {}

        def walk(path: str, folder: Folder) -> None:
            there: dict[str, File | Folder] = {}
            for change in folder.changes:
                if id(change) not in lasting or (
                    change.needs is not None and id(change.needs) not in lasting
                ):
                    continue
                if change.node is None:
                    there.pop(change.name, None)
                else:
                    there[change.name] = change.node
            for name, node in there.items():
                if isinstance(node, Folder):
                    tree[f"{path}/{name}"] = None
                    walk(f"{path}/{name}", node)
                else:
                    tree[f"{path}/{name}"] = node.content(kept.get(id(node), frozenset()))

        for root, folder in self.roots.items():
            walk(root, folder)
        return tree
