"""Taking up a settled scan: checked and copied through one descriptor, so nobody can swap it meanwhile."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe import formats
from dropscribe.errors import BadScan, NotYet, Unsupported, Withdrawn, WorldWrong, world_wrong
from dropscribe.intake.complete import cut_short
from dropscribe.intake.descend import opened_folder, opened_inbox
from dropscribe.intake.lease import held_for_writing
from dropscribe.intake.look import why_not_regular
from dropscribe.values import Fingerprint
from dropscribe.words import bytes_in_words, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.stop import Stop

_CHUNK = 1 << 20

SEND_AGAIN = "scan or send it again, and wait until all of it has arrived"
"""What helps against a scan that is not whole."""

_EMPTY = "the file is empty"

# O_NONBLOCK: opening a pipe would wait for its other end. O_NOCTTY: a terminal must not become ours.
_SCAN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_ITSELF = "put the scan itself into the inbox"

_IN_THE_CLOUD = 0x40000000  # SF_DATALESS of macOS: reading would wait for a download

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
_NO_FILE = frozenset({errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP})
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_BUSY = frozenset({errno.EBUSY, errno.ETXTBSY, errno.EAGAIN})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_NO_FSYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EROFS, errno.EBADF})


@dataclass(frozen=True, slots=True)
class Taken:
    """A scan as it was when it was taken up: its copy `path` (the caller's to remove), digest and format.

    `kind` is by content; None for a picture's name with content that nothing here recognises. `cut_short` says
    why it is not whole, empty for nearly all.
    """

    path: Path
    sha256: str
    fingerprint: Fingerprint
    kind: str | None
    cut_short: str = ""


def take(
    root: Path,
    name: str,
    expected: Fingerprint,
    spool: Path,
    *,
    limit: int,
    lease: bool,
    young: bool,
    stop: Stop,
    any_links: bool = False,
) -> Taken:
    """Copies the scan `name` of the inbox `root` into `spool`, if it still is `expected` and whole.

    `limit`: the most bytes of a scan. `lease`: ask whether somebody has it open for writing (local mounts).
    `young`: a scan that is cut short may still be arriving; otherwise it is taken up as it is.
    `any_links`: a second name is our own doing, from a move that was stopped.
    Raises NotYet, Unsupported, BadScan, Withdrawn, WorldWrong or Stopped, and then leaves nothing in `spool`.
    """
    with _opened(root, name) as fd, _reading(name):
        _check_file(fd, expected, limit)
        if not any_links:
            _check_links(fd)
        if lease and held_for_writing(fd):
            raise NotYet("another program still has it open for writing")
        kind = _kind(fd, name)
        cut_short = _check_whole(fd, kind, expected.size, young=young)
        _flush(fd)
        with _spooled(spool) as (copy, path):
            digest = _copy(fd, copy, expected.size, spool, stop)
            _check_same(fd, expected)
    return Taken(path, digest, expected, kind, cut_short)


def still_there(root: Path, name: str, expected: Fingerprint) -> bool:
    """Whether the scan still is what was taken up; true also while the inbox cannot be asked."""
    *folder, last = name.split("/")
    try:
        with opened_inbox(root) as inbox, opened_folder(inbox, folder) as parent:
            found = os.stat(last, dir_fd=parent, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, WorldWrong):
        return True
    return Fingerprint.of(found).same_content_as(expected)


@contextmanager
def _opened(root: Path, name: str) -> Iterator[int]:
    *folder, last = name.split("/")
    with opened_inbox(root) as inbox:
        with _reading(name), opened_folder(inbox, folder) as parent:
            fd = os.open(last, _SCAN, dir_fd=parent)
        try:
            yield fd
        finally:
            os.close(fd)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """What the operating system says about a scan, as the kind of failure it is."""
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        if code in _GONE:
            raise Withdrawn("it is no longer there") from error
        if code == errno.ELOOP:
            raise BadScan(why_not_regular(stat.S_IFLNK), _ITSELF) from error
        if code in _NO_FILE:
            raise BadScan("it is a socket or a device, not a file", _ITSELF) from error
        if code in _OURS:
            raise world_wrong(error, name) from error
        if code in _BUSY:
            raise NotYet("another program is still busy with it") from error
        if code in _DENIED:
            fix = "give the user that runs dropscribe the right to read it"
            raise NotYet("there is no permission to read it", fix) from error
        raise NotYet(f"it cannot be read now ({error.strerror})", "check the disk or the share") from error


def _check_file(fd: int, expected: Fingerprint, limit: int) -> None:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise BadScan(why_not_regular(found.st_mode), _ITSELF)
    if Fingerprint.of(found) != expected:
        raise NotYet("it changed after it had settled")
    if getattr(found, "st_flags", 0) & _IN_THE_CLOUD:
        raise NotYet("its content is in the cloud, not on this disk", "have the inbox kept on this disk")
    if found.st_size > limit:
        raise BadScan(
            "the file has {}, more than the limit of {}".format(*_apart(found.st_size, limit)),
            "scan it at a lower resolution or in several parts, or raise limits.bytes in the config",
        )


def _check_links(fd: int) -> None:
    """Who may not read a file may yet be able to link it into an inbox, and would get to read its text.

    A file that everybody may read has no such secret. Some senders deliver by a link, and then remove the
    first name: that is waited for.
    """
    found = os.fstat(fd)
    if found.st_nlink > 1 and not found.st_mode & stat.S_IROTH:
        raise NotYet(
            "it is also a file elsewhere (a hard link) that not everybody may read",
            "put a copy of it into the inbox instead",
        )


def _apart(*sizes: int) -> list[str]:
    """Sizes in words, or to the byte where words would hide that they differ."""
    words = [bytes_in_words(size) for size in sizes]
    return words if len(set(words)) > 1 else [plural(size, "byte") for size in sizes]


def _check_same(fd: int, expected: Fingerprint) -> None:
    if Fingerprint.of(os.fstat(fd)) != expected:
        raise NotYet("it changed while it was being read")


def _kind(fd: int, name: str) -> str | None:
    kind = formats.sniff(os.pread(fd, formats.HEAD, 0))
    if kind is None and not formats.ending(name):
        raise Unsupported("its content is no format of scans; it is left where it is")
    return kind


def _check_whole(fd: int, kind: str | None, size: int, *, young: bool) -> str:
    """Why it is not whole, once it is too old to be still arriving."""
    if not size:
        if young:
            raise NotYet(_EMPTY)
        raise BadScan(_EMPTY, SEND_AGAIN)
    reason = cut_short(kind, size, lambda offset, length: os.pread(fd, length, offset)) or ""
    if reason and young:
        raise NotYet(reason)
    return reason


def _flush(fd: int) -> None:
    """Without this a power cut after the move can leave an empty scan: not every sender flushes."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


@contextmanager
def _spooled(spool: Path) -> Iterator[tuple[int, Path]]:
    """A new private file in `spool`, which disappears again unless the block succeeds."""
    with _writing(spool):
        if not spool.is_dir():
            spool.mkdir(mode=0o700)  # ours alone: nobody mounts anything there
        fd, name = tempfile.mkstemp(prefix=".", dir=spool)
    path = Path(name)
    try:
        try:
            yield fd, path
        finally:
            with _writing(spool):
                os.close(fd)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


@contextmanager
def _writing(spool: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise world_wrong(error, spool) from error


def _copy(source: int, target: int, size: int, spool: Path, stop: Stop) -> str:
    """The digest of the `size` bytes that were copied; what a writer adds meanwhile is not even read."""
    digest = hashlib.sha256()
    copied = 0
    while chunk := os.pread(source, min(_CHUNK, size - copied), copied):
        stop.check()
        copied += len(chunk)
        digest.update(chunk)
        _write(target, chunk, spool)
    if copied != size:
        raise NotYet("it changed while it was being read")
    return digest.hexdigest()


def _write(fd: int, chunk: bytes, spool: Path) -> None:
    left = memoryview(chunk)
    with _writing(spool):
        while left:
            left = left[os.write(fd, left) :]
