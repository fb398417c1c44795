"""The only way to change inboxes, `done/` and `failed/`; each step is whole, or it has not happened.

Folders are opened once and everything is done through their descriptors; no name is ever taken from another
file; what is announced as done survives a power cut. Errors of the operating system become WorldWrong.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dropscribe.errors import Withdrawn, WorldWrong
from dropscribe.filing.appending import Growth, add_row, check_collection, end_row
from dropscribe.filing.claim import NotUniqueError, claim, show, unique_name
from dropscribe.filing.disk import DISK
from dropscribe.filing.folder import FolderMissing, Inside, component, inside, opened, temporary_name, told
from dropscribe.filing.moving import Scan, check, copied, ended_after_stop, remove, renamed
from dropscribe.filing.rights import PRIVATE
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropscribe.filing.disk import Disk
    from dropscribe.filing.folder import Folder, Where
    from dropscribe.filing.rights import Rights
    from dropscribe.values import Fingerprint

__all__ = [
    "Growth",
    "NotUniqueError",
    "add_row",
    "check_collection",
    "check_may_leave",
    "end_row",
    "free_space",
    "has_left",
    "holds",
    "inside",
    "make_and_remove",
    "make_folder",
    "move",
    "probe",
    "publish",
    "remove_source",
    "retract",
    "sweep",
    "unique_name",
]

_OURS = re.compile(r"\.dropscribe-(canary-)?[0-9a-f]{12}\.part")


# --- texts


def publish(folder: Where, name: str, data: bytes, *, rights: Rights = PRIVATE, disk: Disk = DISK) -> bool:
    """`data` as the file `name` in `folder`, with exactly these rights where the file system has rights.

    False if it is whole and in its place, but could not be given to the group that it was meant for.
    Raises FileExistsError if the name is taken, NotUniqueError (one of those), WorldWrong; nothing half is
    ever to be seen.
    """
    component(name)
    with opened(disk, folder) as here, told(here.path):
        group = rights.group_in(os.fstat(here.fd).st_mode)
        temporary = here.write([data], rights.file, (-1, -1 if group is None else group))
        given = group is None or here.has_group(temporary, group)
        show(here, temporary, name)
        return given


def holds(folder: Where, name: str, sha256: str, *, disk: Disk = DISK) -> bool:
    """Whether `name` is a regular file with this content; true means also that it survives a power cut."""
    try:
        with opened(disk, folder) as here, told(here.path):
            if here.digest(component(name), sync=True) != sha256:
                return False
            here.sync()
            return True
    except FolderMissing:
        return False


def retract(folder: Where, name: str, sha256: str, *, disk: Disk = DISK) -> None:
    """Remove a text that we published; a file with any other content stays."""
    with opened(disk, folder) as here, told(here.path):
        if here.digest(component(name)) == sha256:
            here.remove(name)
            here.sync()


# --- scans


def move(
    source_root: Path,
    name: str,
    expected: Fingerprint,
    target_folder: Where,
    target_name: str,
    sha256: str,
    *,
    disk: Disk = DISK,
) -> None:
    """File the scan `name` (a path below `source_root`) as `target_name`: this is the commit.

    `expected` is the file that was read, `sha256` its content, or any other word where that is unknown.
    Raises Withdrawn if another file is there by now, which stays in the inbox or goes back to it; NotYet
    while somebody keeps the scan busy; FileExistsError if the name is taken, NotUniqueError; WorldWrong.
    """
    component(target_name)
    with _both(disk, source_root, name, target_folder) as (source, base, target):
        scan = Scan(source, base, expected, sha256)
        if ended_after_stop(scan, target, target_name):
            return
        check(scan)
        if not renamed(scan, target, target_name):
            copied(scan, target, target_name)


def remove_source(
    source_root: Path,
    name: str,
    expected: Fingerprint,
    target_folder: Where,
    target_name: str,
    sha256: str,
    *,
    disk: Disk = DISK,
) -> None:
    """End a move that was stopped when both folders had the scan, or of which a power cut left only half.

    Nothing is removed unless `target_name` holds this content durably. A newcomer under the scan's old name
    stays where it is. Raises Withdrawn if the target does not hold the scan; WorldWrong.
    """
    with _both(disk, source_root, name, target_folder) as (source, base, target):
        if target.digest(component(target_name), sync=True) != sha256:
            raise Withdrawn(f"{shown(target_name)} is not the scan that was filed there")
        target.sync()
        remove(Scan(source, base, expected, sha256))


def check_may_leave(source_root: Path, name: str, *, disk: Disk = DISK) -> None:
    """Raises WorldWrong where a scan could be read, but not be moved out of its folder afterwards.

    True to the rights of the folder; what else may be in the way shows when the scan is moved.
    """
    path = PurePosixPath(name)
    try:
        with opened(disk, source_root, path.parent) as source:
            may_leave = disk.may_write(source.fd)
    except FolderMissing as missing:
        raise Withdrawn(f"{shown(name)} has left its inbox together with its folder") from missing
    if not may_leave:
        raise WorldWrong(
            f"{shown(str(source.path))}: scans cannot be moved out of this folder",
            "give the user that runs dropscribe the right to write there",
        )


def has_left(source_root: Path, name: str, *, disk: Disk = DISK) -> bool:
    """Whether nothing has the scan's name any more; true means also that a power cut does not bring it back.

    To be asked after `holds`: where a scan went must be durable before it is durable that it went.
    """
    path = PurePosixPath(name)
    try:
        with opened(disk, source_root, path.parent) as source, told(source.path):
            if source.stat(component(path.name)) is not None:
                return False
            source.sync()
            return True
    except FolderMissing:
        return True


@contextmanager
def _both(
    disk: Disk, source_root: Path, name: str, target_folder: Where
) -> Iterator[tuple[Folder, str, Folder]]:
    path = PurePosixPath(name)
    component(path.name)
    with ExitStack() as stack:
        try:
            source = stack.enter_context(opened(disk, source_root, path.parent))
        except FolderMissing as missing:
            raise Withdrawn(f"{shown(name)} has left its inbox together with its folder") from missing
        target = stack.enter_context(opened(disk, target_folder))
        stack.enter_context(told(f"{source.path} → {target.path}"))
        if source.is_same_as(target):
            raise WorldWrong(f"{shown(str(target.path))}: here scans wait, they cannot be filed here as well")
        yield source, path.name, target


# --- folders


def make_folder(path: Path, *, below: Where, rights: Rights = PRIVATE, disk: Disk = DISK) -> None:
    """Make what is missing of `path` below the folder `below`, which itself is never made, with these rights.

    A root that has vanished is a disk that is not mounted. Raises WorldWrong then, and where a link or a file
    stands in the way.
    """
    parts = path.relative_to(below.path if isinstance(below, Inside) else below).parts
    with opened(disk, below):
        pass
    for depth, name in enumerate(parts):
        with opened(disk, below, PurePosixPath(*parts[:depth])) as parent, told(parent.path / name):
            _make(parent, name, rights)


def _make(parent: Folder, name: str, rights: Rights) -> None:
    found = parent.stat(component(name))
    if found is None:
        parent.make(name, rights)
    elif not stat.S_ISDIR(found.st_mode):
        where = shown(str(parent.path / name))
        raise WorldWrong(f"{where}: something that is not a folder has this name", "rename it")
    parent.sync()


def probe(folder: Where, *, disk: Disk = DISK) -> None:
    """Raises WorldWrong unless files can be made, renamed and removed in `folder`."""
    with opened(disk, folder) as here, told(here.path):
        first = here.write([b"dropscribe tries whether it may write here\n"], 0o600)
        second = temporary_name()
        try:
            claim(here, first, here, second)
            here.remove(second)
        except BaseException:
            here.discard(first)
            here.discard(second)
            raise


def make_and_remove(folder: Path, name: str, *, disk: Disk = DISK) -> None:
    """Let the kernel tell of a new file `name`, empty and gone at once. Raises WorldWrong where none can be made.

    Nothing is synced: the file means nothing, and `sweep` finds it after a stop.
    """
    with opened(disk, folder) as here, told(here.path):
        fd = disk.open_new(here.fd, component(name))
        try:
            disk.close(fd)
        finally:
            here.discard(name)


def free_space(folder: Where, *, disk: Disk = DISK) -> int:
    """Bytes that may still be written; boundless where the file system does not say."""
    with opened(disk, folder) as here, told(here.path):
        space = disk.space(here.fd)
        return space.f_bavail * space.f_frsize if space.f_blocks else sys.maxsize


def sweep(folder: Where, *, disk: Disk = DISK) -> int:
    """Remove the hidden files that a stop left in `folder` itself; how many there were.

    Another dropscribe that is just writing there has to write again, and loses nothing.
    """
    with opened(disk, folder) as here, told(here.path):
        left = [name for name in disk.names(here.fd) if _OURS.fullmatch(name) and _is_ours(here, name)]
        for name in left:
            here.remove(name)
        return len(left)


def _is_ours(folder: Folder, name: str) -> bool:
    found = folder.stat(name)
    return found is not None and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
