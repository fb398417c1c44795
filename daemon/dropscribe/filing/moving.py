"""How a scan leaves its inbox: renamed, or copied and removed where that is another file system."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe.errors import NotYet, Withdrawn, WorldWrong
from dropscribe.filing.claim import claim, has_both_names, show, unique_name
from dropscribe.filing.folder import chunks
from dropscribe.values import Fingerprint
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dropscribe.filing.folder import Folder

_BUSY = {errno.EBUSY, errno.ETXTBSY}  # how SMB says that a writer still has the file open (paperless-ngx#432)
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan in its open folder: `expected` is the file that was read, `sha256` its content."""

    folder: Folder
    name: str
    expected: Fingerprint
    sha256: str

    def now(self) -> os.stat_result | None:
        return self.folder.stat(self.name)

    def changed(self) -> Withdrawn:
        return Withdrawn(f"{shown(self.name)} is no longer the file that was read")

    def gone(self) -> Withdrawn:
        return Withdrawn(f"{shown(self.name)} has left its inbox")


# --- before


def check(scan: Scan) -> None:
    """Raises Withdrawn unless the scan is the file that was read."""
    found = scan.now()
    if found is None:
        raise scan.gone()
    if not _may_be_moved(found.st_mode) or Fingerprint.of(found) != scan.expected:
        raise scan.changed()


def _may_be_moved(mode: int) -> bool:
    """A link is moved as the link that it is: nothing here ever follows one."""
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def ended_after_stop(scan: Scan, target: Folder, name: str) -> bool:
    """Whether the scan had been linked to its new name when all stopped; then it is filed now."""
    found = scan.now()
    if found is None or not Fingerprint.of(found).same_content_as(scan.expected):
        return False
    if not has_both_names(scan.folder, scan.name, target, name):
        return False
    target.sync()
    scan.folder.remove(scan.name)
    scan.folder.sync()
    return True


# --- on one file system


def renamed(scan: Scan, target: Folder, name: str) -> bool:
    """False, and nothing done, if `target` is on another file system."""
    try:
        claim(scan.folder, scan.name, target, name)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.EXDEV:
            return False
        if error.errno in _BUSY:
            raise NotYet("another program still has the scan open") from error
        if error.errno == errno.ENOENT and scan.now() is None:
            raise scan.gone() from error
        raise
    _check_moved(scan, target, name)
    target.sync()  # first: after a power cut a scan may be in both folders, but not in none
    scan.folder.sync()
    return True


def _check_moved(scan: Scan, target: Folder, name: str) -> None:
    """What was renamed may be what took the scan's name after `check`: then it goes back."""
    found = target.stat(name)
    if found is None:
        raise Withdrawn(f"{shown(name)} was taken away as soon as it was filed")
    # Some network file systems give a file a new inode when it is renamed; its content tells then.
    if Fingerprint.of(found).same_content_as(scan.expected) or target.digest(name) == scan.sha256:
        return
    _give_back(scan, target, name)
    raise scan.changed()


def _give_back(scan: Scan, target: Folder, name: str) -> None:
    try:
        claim(target, name, scan.folder, scan.name)
    except FileExistsError:
        claim(target, name, scan.folder, unique_name(scan.name))
    scan.folder.sync()
    target.sync()


# --- between file systems


def copied(scan: Scan, target: Folder, name: str) -> None:
    """The scan is in `target`, whole and durable, with its time, rights and owner, before it leaves its inbox."""
    found = scan.now()
    if found is not None and stat.S_ISLNK(found.st_mode):
        raise WorldWrong(f"{shown(scan.name)}: a link cannot be moved to another disk", "remove the link")
    if target.stat(name) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
    show(target, _copy(scan, target), name)
    remove(scan)


def _copy(scan: Scan, target: Folder) -> str:
    with scan.folder.reading(scan.name) as fd:
        if fd is None or Fingerprint.of(before := os.fstat(fd)) != scan.expected:
            raise scan.changed()
        content = _Content(scan, chunks(scan.folder.disk, fd))
        times = (before.st_atime_ns, before.st_mtime_ns)
        owner = (before.st_uid if os.geteuid() == 0 else -1, before.st_gid)
        temporary = target.write(content, stat.S_IMODE(before.st_mode) & 0o777, owner, times)
    try:
        content.compare(target, temporary)
    except BaseException:
        target.discard(temporary)
        raise
    return temporary


class _Content:
    """The scan's bytes on their way; Withdrawn unless they are as many as expected."""

    def __init__(self, scan: Scan, pieces: Iterable[bytes]) -> None:
        self._scan = scan
        self._pieces = pieces
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        seen = 0
        for piece in self._pieces:
            seen += len(piece)
            if seen > self._scan.expected.size:
                break  # it grows, perhaps without end
            self._digest.update(piece)
            yield piece
        if seen != self._scan.expected.size:
            raise self._scan.changed()

    def compare(self, target: Folder, name: str) -> None:
        """Raises Withdrawn if the scan was not what it was to be, WorldWrong if its copy `name` is not."""
        passed = self._digest.hexdigest()
        if _DIGEST.fullmatch(self._scan.sha256) and passed != self._scan.sha256:
            raise self._scan.changed()
        if target.digest(name) != passed:
            raise WorldWrong(
                f"{shown(str(target.path))}: a copy does not read as it was written", "check the disk"
            )


def remove(scan: Scan) -> None:
    """Remove a scan that has been filed; a newcomer that took its name is a scan of its own and stays.

    No system can unlink a name on condition that it still means the same file: who replaces a scan in the
    microseconds between these two calls loses the replacement.
    """
    found = scan.now()
    if found is not None and _is_filed(Fingerprint.of(found), scan):
        scan.folder.remove(scan.name)
    scan.folder.sync()


def _is_filed(found: Fingerprint, scan: Scan) -> bool:
    if found == scan.expected:
        return True
    only_rights_differ = found.same_content_as(scan.expected)
    return only_rights_differ and scan.folder.digest(scan.name) == scan.sha256
