"""An open folder, and the steps that filing is made of, each by descriptor and without following links."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dropscribe.errors import WorldWrong, world_wrong
from dropscribe.filing.syscalls import UNSUPPORTED
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dropscribe.filing.disk import Disk
    from dropscribe.filing.rights import Rights

_CHUNK = 1 << 20
# Shares and FAT have modes and times of their own; that is no reason to leave a scan unfiled.
_NO_RIGHTS = UNSUPPORTED | {errno.EPERM}
_NOBODY = (-1, -1)
_NO_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True)
class Inside:
    """The folder `below` in `root`, to which strangers may write.

    They could put a link in place of any folder on the way, and have files written where they may not write
    themselves. So a link is followed only where root or the user that runs this has made it.
    """

    root: Path
    below: PurePosixPath

    @property
    def path(self) -> Path:
        return self.root / self.below


Where = Path | Inside
"""A folder: with all links on the way, as a config may name it, or `Inside` another one."""


def inside(folder: Path, *roots: Path) -> Where:
    """`folder` as it is to be reached: strangers may write to `roots`."""
    for root in roots:
        if folder.is_relative_to(root):
            return Inside(root, PurePosixPath(folder.relative_to(root)))
    return folder


class FolderMissing(WorldWrong):
    """Below an existing root there is no such folder, or a link in its place."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder; everything in it is reached through `fd`, wherever the path leads by now."""

    disk: Disk
    fd: int
    path: Path

    def stat(self, name: str) -> os.stat_result | None:
        try:
            return self.disk.stat(self.fd, name)
        except FileNotFoundError:
            return None

    def is_same_as(self, other: Folder) -> bool:
        return os.path.samestat(os.fstat(self.fd), os.fstat(other.fd))

    def sync(self) -> None:
        """Make the names in this folder survive a power cut, where the file system can promise that."""
        try:
            self.disk.sync_folder(self.fd)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise

    @contextmanager
    def reading(self, name: str) -> Iterator[int | None]:
        """A descriptor of the regular file `name`; None for anything else, and for what is not there."""
        try:
            fd = self.disk.open_old(self.fd, name)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ELOOP, errno.EMLINK, errno.ENXIO}:
                raise
            yield None
            return
        try:
            yield fd if stat.S_ISREG(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)

    def digest(self, name: str, *, sync: bool = False) -> str | None:
        """SHA-256 of the regular file `name`; `sync` also makes that content survive a power cut."""
        with self.reading(name) as fd:
            if fd is None:
                return None
            digest = hashlib.sha256()
            for chunk in chunks(self.disk, fd):
                digest.update(chunk)
            if sync:
                self.disk.sync(fd)
            return digest.hexdigest()

    def write(
        self,
        content: Iterable[bytes],
        mode: int,
        owner: tuple[int, int] = _NOBODY,
        times: tuple[int, int] | None = None,
    ) -> str:
        """The name of a new hidden file with `content`, complete and fsynced; nothing is left if that fails.

        It gets `owner`, user and group, as far as the system allows that.

        After a failed fsync or close nobody knows what the disk holds, and a second try may be told that all
        is well: the file is given up instead.
        """
        name = temporary_name()
        fd = self.disk.open_new(self.fd, name)
        try:
            try:
                for chunk in content:
                    self._write_all(fd, chunk)
                self._give(fd, owner)
                self._describe(fd, mode, times)
                self.disk.sync(fd)
            finally:
                self.disk.close(fd)
        except BaseException:
            self.discard(name)
            raise
        return name

    def _write_all(self, fd: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            if not (written := self.disk.write(fd, rest)):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            rest = rest[written:]

    def _describe(self, fd: int, mode: int, times: tuple[int, int] | None) -> None:
        with _where_there_are_rights():
            self.disk.set_mode(fd, mode)
        if times is not None:
            with _where_there_are_rights():
                self.disk.set_times(fd, *times)

    def _give(self, fd: int, owner: tuple[int, int]) -> None:
        """To both, or at least to the group: only root may give files away, and others only to their groups."""
        found = os.fstat(fd)
        user, group = owner
        for each in dict.fromkeys(((user, group), (-1, group))):
            if each[0] in {-1, found.st_uid} and each[1] in {-1, found.st_gid}:
                return
            with _where_there_are_rights():
                self.disk.set_owner(fd, *each)
                return

    def has_group(self, name: str, group: int) -> bool:
        """Whether our own hidden file could be given to the group; where nobody can say, it was."""
        with contextlib.suppress(OSError):
            found = self.stat(name)
            return found is None or found.st_gid == group
        return True

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # NFS may repeat a request whose reply got lost
            self.disk.unlink(self.fd, name)

    def make(self, name: str, rights: Rights) -> None:
        """A folder with these rights, and with the setgid bit where this one hands that on."""
        try:
            self.disk.make_folder(self.fd, name, rights.folder)
        except FileExistsError:
            return  # somebody was faster, and it is theirs
        fd = self.disk.open_below(self.fd, name)
        try:
            self._describe_folder(fd, rights)
        finally:
            os.close(fd)

    def _describe_folder(self, fd: int, rights: Rights) -> None:
        made = os.fstat(fd)
        if made.st_uid != os.geteuid():
            return  # it was swapped for another one
        if (group := rights.group_in(made.st_mode)) is not None:
            self._give(fd, (-1, group))
        inherited = made.st_mode & stat.S_ISGID
        # RestrictSUIDSGID= of systemd forbids to set that bit, even again; then the rights go before it.
        for mode in dict.fromkeys((rights.folder | inherited, rights.folder)):
            with _where_there_are_rights():
                self.disk.set_mode(fd, mode)
                return

    def discard(self, name: str) -> None:
        """Remove our own hidden file, if that can be done; `sweep` finds it otherwise."""
        with contextlib.suppress(OSError):
            self.disk.unlink(self.fd, name)


@contextmanager
def _where_there_are_rights() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_RIGHTS:
            raise


_ITSELF = PurePosixPath()


@contextmanager
def opened(disk: Disk, where: Where, below: PurePosixPath = _ITSELF) -> Iterator[Folder]:
    """The folder `below` (links refused) in `where` (a path: links followed, it is what the user configured).

    Raises WorldWrong, FolderMissing if `where` is there and the rest is not.
    """
    root, known = (where.root, where.below.parts) if isinstance(where, Inside) else (where, ())
    with contextlib.ExitStack() as stack:
        with told(root):
            fd = disk.open_folder(os.fspath(root))
            stack.callback(os.close, fd)
        path = root
        for number, part in enumerate((*known, *below.parts)):
            path /= component(part)
            with told(path):
                fd = _down(disk, fd, path) if number < len(known) else _step(disk, fd, path)
                stack.callback(os.close, fd)
        yield Folder(disk, fd, path)


def _step(disk: Disk, fd: int, path: Path) -> int:
    try:
        return disk.open_below(fd, path.name)
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        raise FolderMissing(f"{shown(os.fspath(path))}: there is no such folder, or it is a link") from error


def _down(disk: Disk, fd: int, path: Path) -> int:
    """One step to a folder that the config names, through a link only where nobody else can have made it."""
    try:
        return disk.open_below(fd, path.name)
    except OSError as error:
        if error.errno not in _NO_FOLDER - {errno.ENOENT}:
            raise
        before = disk.stat(fd, path.name)
        if not stat.S_ISLNK(before.st_mode):
            raise
        if before.st_uid not in {0, os.geteuid()}:
            raise WorldWrong(
                f"{shown(os.fspath(path))}: it is a link that another user made, and is not followed",
                "remove the link, or name the folder to which it leads in the config",
            ) from error
        target = disk.read_link(fd, path.name)
        after = disk.stat(fd, path.name)
        # A link never changes; one that is still the same had this target.
        if (before.st_ino, before.st_ctime_ns) != (after.st_ino, after.st_ctime_ns):
            raise
        return disk.open_linked(fd, target)


@contextmanager
def told(where: object) -> Iterator[None]:
    """Errors of the operating system inside become WorldWrong; FileExistsError stays what it is."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise world_wrong(error, shown(str(where))) from error


def component(name: str) -> str:
    """The same name; ValueError unless it is one step down from a folder."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise ValueError(f"not the name of a file: {name!r}")
    return name


def temporary_name() -> str:
    return f".dropscribe-{secrets.token_hex(6)}.part"


def chunks(disk: Disk, fd: int) -> Iterator[bytes]:
    while chunk := disk.read(fd, _CHUNK):
        yield chunk
