"""Adding to a file that people keep: at its end alone, and whole; what they wrote is never touched."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe.errors import WorldWrong
from dropscribe.filing.collection import HEAD, is_blank
from dropscribe.filing.disk import DISK
from dropscribe.filing.folder import component, opened, told
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dropscribe.filing.disk import Disk
    from dropscribe.filing.folder import Folder, Where

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Growth:
    """Where a line is about to be added: what is `data` now was to stand from byte `start` on in the file `name`."""

    name: str
    start: int
    data: bytes


def check_collection(folder: Where, name: str, *, disk: Disk = DISK) -> None:
    """Raises WorldWrong where something of this name cannot be added to; it need not be there."""
    with appending(folder, name, disk):
        pass


def add_row(
    folder: Where,
    name: str,
    line: Callable[[bytes], bytes | None],
    remember: Callable[[Growth], None],
    *,
    disk: Disk = DISK,
) -> bool | None:
    """Add to the collection `name` what `line` makes of its beginning, durably; None if there is no such file.

    `remember` is told what is to stand where before that is written, so that `end_row` can end what a stop
    interrupts. False if `line` has nothing for such a file. A last line without an end gets one.
    Raises WorldWrong.
    """
    with appending(folder, name, disk) as file:
        if file is None:
            return None
        head = file.part(0, HEAD)
        data = line(head)
        if data is None:
            return False
        # As the file's own line ends are, which are those of the line too.
        newline = data[len(data.rstrip(b"\r\n")) :]
        growth = Growth(name, file.size, newline + data if file.is_cut and not is_blank(head) else data)
        remember(growth)
        file.append(growth.data)
        return True


def end_row(folder: Where, growth: Growth, words: Sequence[bytes], *, disk: Disk = DISK) -> bool:
    """End what a stop may have interrupted; true if the line stands in the file, durably.

    Where nobody else has written since, what is missing of it is added. Where somebody has, the line stands
    there if all `words` do, which are of its end and of no other line; if not, it is to be added anew.
    Raises WorldWrong.
    """
    with appending(folder, growth.name, disk) as file:
        if file is None:
            return False
        start, size, data = growth.start, file.size, growth.data
        found = file.part(start, len(data))
        goes_on = start <= size < start + len(data) and data.startswith(found)
        if goes_on and (found or not file.has_all(words)):
            file.append(data[len(found) :])
        elif found != data and not file.has_all(words):
            return False
        file.sync()
        return True


# --- one open file


@contextmanager
def appending(folder: Where, name: str, disk: Disk) -> Iterator[Growing | None]:
    """The file `name`, open to be added to; None where there is none.

    Raises WorldWrong where something else has this name: a link, or a file with other names, could have us
    write where those who made it may not.
    """
    with opened(disk, folder) as here, told(here.path / component(name)):
        try:
            fd = disk.open_end(here.fd, name)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            if error.errno not in {errno.ELOOP, errno.EMLINK, errno.ENXIO, errno.EISDIR}:
                raise
            raise _unfit(here, name, "it is not a file, or a link to one") from error
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise _unfit(here, name, "it is not a file")
            if found.st_nlink > 1:
                raise _unfit(here, name, "the file has other names too (hard links)")
            yield Growing(disk, fd)
        finally:
            os.close(fd)


def _unfit(folder: Folder, name: str, why: str) -> WorldWrong:
    where = shown(os.fspath(folder.path / name))
    return WorldWrong(f"{where}: expected a file to add rows to, but {why}", "move it away")


@dataclass(frozen=True, slots=True)
class Growing:
    """An open file; whatever is written goes to its end."""

    disk: Disk
    fd: int

    @property
    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def part(self, start: int, size: int) -> bytes:
        """Bytes from `start` on, at most `size`."""
        parts = []
        while size > 0 and (chunk := self.disk.read_at(self.fd, min(size, _CHUNK), start)):
            parts.append(chunk)
            start += len(chunk)
            size -= len(chunk)
        return b"".join(parts)

    @property
    def is_cut(self) -> bool:
        """Whether the last line has no end."""
        size = self.size
        return size > 0 and self.part(size - 1, 1) != b"\n"

    def has_all(self, words: Sequence[bytes]) -> bool:
        """Whether each of `words`, none longer than a megabyte, stands somewhere in the file."""
        missing, before, at = set(words), b"", 0
        while missing and (chunk := self.part(at, _CHUNK)):
            seen = before + chunk
            missing = {word for word in missing if word not in seen}
            before, at = seen[-_CHUNK:], at + len(chunk)
        return not missing

    def append(self, data: bytes) -> None:
        """All of it, on disk when this returns; what was written of it is taken back where that fails."""
        start = self.size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._write(rest) :]
            self.sync()
        except OSError:
            with suppress(OSError):
                self._take_back(start, data)
            raise

    def _write(self, data: memoryview) -> int:
        if not (written := self.disk.write(self.fd, data)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written

    def sync(self) -> None:
        self.disk.sync(self.fd)

    def _take_back(self, start: int, data: bytes) -> None:
        """Nothing where somebody else has written behind it; then the ledger knows what is there."""
        size = self.size
        if start < size <= start + len(data) and self.part(start, len(data)) == data[: size - start]:
            self.disk.truncate(self.fd, start)
