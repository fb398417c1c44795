"""Looking at an inbox: names by scandir, stat only for what has not settled, links never followed."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from dropscribe import formats
from dropscribe.errors import world_wrong
from dropscribe.intake.descend import opened_folder, opened_inbox
from dropscribe.intake.names import DO_NOT_ENTER, why_ignored, why_not_entered, why_unsupported
from dropscribe.values import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from pathlib import Path

LISTED = 1000
"""So many names are kept for each reason to leave files alone; a flood of junk must not swell the memory."""

IN_A_FOLDER = "in a folder; set recursive: true to have it read"
"""Said of a folder, whatever it holds, in an inbox that is not recursive."""

DEEPEST = 32
"""Folders nested deeper than this are not entered: their paths would outgrow what other calls accept."""


@dataclass(frozen=True, slots=True)
class LookRules:
    """How an inbox is looked at; `skip` holds the absolute folders that are never entered (done, failed)."""

    recursive: bool = False
    patterns: tuple[str, ...] = ("*",)
    ignore: tuple[str, ...] = ()
    skip: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """What lay in an inbox. Names are relative to it and '/'-separated; each map but `seen` gives the reason.

    `seen`: the scans; None where a name had settled before and was not asked again.
    `seen` holds links too that have the name of a scan; `refused`: what else is no regular file, or a folder
    that cannot be read.
    `unlisted`: how many names the three other maps had no room for.
    `folders`: the inbox and the subfolders entered. `identity`: device and inode of the inbox.
    """

    seen: Mapping[str, Fingerprint | None]
    ignored: Mapping[str, str]
    unsupported: Mapping[str, str]
    refused: Mapping[str, str]
    unlisted: int
    folders: tuple[Path, ...]
    identity: tuple[int, int]


def look(root: Path, rules: LookRules, settled: Container[str]) -> Look:
    """The inbox as it is now; raises WorldWrong when `root` itself cannot be listed."""
    with opened_inbox(root) as fd:
        found = _Found(root, rules, settled)
        try:
            identity = os.fstat(fd)
            found.sift(fd, "")
        except OSError as error:
            raise world_wrong(error, root) from error
        while found.pending:
            found.enter(fd, found.pending.pop())
    return Look(
        seen=found.seen,
        ignored=found.ignored,
        unsupported=found.unsupported,
        refused=found.refused,
        unlisted=found.unlisted,
        folders=tuple(found.folders),
        identity=(identity.st_dev, identity.st_ino),
    )


def scans_in(folder: Path) -> int:
    """How many scans lie in a folder that scans are filed to, by their names; 0 where it cannot be listed."""
    return sum(
        not name.startswith(".") and formats.by_name(name) is not None
        for _, _, names in os.walk(folder)
        for name in names
    )


@dataclass(slots=True)
class _Found:
    root: Path
    rules: LookRules
    settled: Container[str]
    seen: dict[str, Fingerprint | None] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unlisted: int = 0
    folders: list[Path] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    barred: frozenset[tuple[int, int]] | None = None

    def sift(self, fd: int, folder: str) -> None:
        """All names in the folder open as `fd`; the loop that looking spends its time in."""
        self.folders.append(self.root / folder)
        prefix = f"{folder}/" if folder else ""
        settled, seen = self.settled, self.seen
        with os.scandir(fd) as entries:
            for entry in entries:
                name = prefix + entry.name
                if name in settled:
                    seen[name] = None
                else:
                    self._sort(name, entry)

    def enter(self, root: int, folder: str) -> None:
        try:
            with opened_folder(root, folder.split("/")) as fd:
                if self._is_barred(fd):
                    return
                if _holds(fd, DO_NOT_ENTER):
                    self._note(self.ignored, folder, f"it holds a file named {DO_NOT_ENTER}")
                    return
                self.sift(fd, folder)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                self._note(self.refused, folder, world_wrong(error, "this folder cannot be read").reason)

    def _sort(self, name: str, entry: os.DirEntry[str]) -> None:
        if entry.is_dir(follow_symlinks=False):
            self._meet_folder(name, entry)
            return
        ignored, unsupported = _why_left_alone(name, self.rules.patterns, self.rules.ignore)
        if ignored:
            self._note(self.ignored, name, ignored)
        elif unsupported:
            self._note(self.unsupported, name, unsupported)
        else:
            self._meet_file(name, entry)

    def _meet_file(self, name: str, entry: os.DirEntry[str]) -> None:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            self._note(self.refused, name, world_wrong(error, "it cannot be looked at").reason)
            return
        if self._leads_to_skipped(name, found):
            return
        if stat.S_ISREG(found.st_mode) or (stat.S_ISLNK(found.st_mode) and formats.by_name(name)):
            # A link is a bad scan, and is moved as the link that it is.
            self.seen[name] = Fingerprint.of(found)
        else:
            self._note(self.refused, name, why_not_regular(found.st_mode))

    def _meet_folder(self, name: str, entry: os.DirEntry[str]) -> None:
        reason = why_not_entered(name, ignore=self.rules.ignore)
        if not self.rules.recursive:
            if not reason and not self._leads_to_filed(name, entry):
                self._note(self.ignored, name, IN_A_FOLDER)
            return
        if reason:
            self._note(self.ignored, name, reason)
        elif name.count("/") >= DEEPEST:
            self._note(self.refused, name, f"more than {DEEPEST} folders deep")
        else:
            self.pending.append(name)

    def _leads_to_filed(self, name: str, entry: os.DirEntry[str]) -> bool:
        """Whether it is one of `skip`, or on the way to one."""
        if str(self.root / name) in _on_the_way(self.rules.skip):
            return True
        try:
            return self._is_skipped(entry.stat(follow_symlinks=False))
        except OSError:
            return False

    def _is_barred(self, fd: int) -> bool:
        """Whether it is one of `skip`, by whatever path: what is filed must not come in again."""
        return self._is_skipped(os.fstat(fd))

    def _is_skipped(self, found: os.stat_result) -> bool:
        if self.barred is None:
            self.barred = frozenset(_identities(self.rules.skip))
        return (found.st_dev, found.st_ino) in self.barred

    def _leads_to_skipped(self, name: str, found: os.stat_result) -> bool:
        """Whether it is a link that was made of `done` or `failed`: no scan, and nothing to tell about.

        Where strangers' links lead is not even asked: that may mount a share, or wait for one that is away.
        """
        if not stat.S_ISLNK(found.st_mode) or found.st_uid not in {0, os.geteuid()}:
            return False
        try:
            return self._is_skipped((self.root / name).stat())
        except OSError:
            return False

    def _note(self, where: dict[str, str], name: str, reason: str) -> None:
        if len(where) < LISTED:
            where[name] = reason
        else:
            self.unlisted += 1


def why_not_regular(mode: int) -> str:
    """What a directory entry with this mode is, when it is no regular file."""
    kinds = (
        (stat.S_ISLNK, "it is a link; links are not read"),
        (stat.S_ISFIFO, "it is a pipe, not a file"),
        (stat.S_ISSOCK, "it is a socket, not a file"),
        (stat.S_ISDIR, "it is a folder, not a file"),
    )
    return next((reason for is_kind, reason in kinds if is_kind(mode)), "it is a device, not a file")


@lru_cache(maxsize=4096)
def _why_left_alone(
    name: str, patterns: tuple[str, ...], ignore: tuple[str, ...]
) -> tuple[str | None, str | None]:
    """Why it is ignored, and why it is no scan; kept, because what lies there is met at every look."""
    return why_ignored(name, patterns=patterns, ignore=ignore), why_unsupported(name)


@lru_cache(maxsize=256)
def _on_the_way(folders: frozenset[Path]) -> frozenset[str]:
    """These and all above them."""
    return frozenset(str(each) for folder in folders for each in (folder, *folder.parents))


def _identities(folders: frozenset[Path]) -> Iterator[tuple[int, int]]:
    for folder in folders:
        try:
            found = folder.stat()
        except OSError:
            continue
        yield found.st_dev, found.st_ino


def _holds(fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
