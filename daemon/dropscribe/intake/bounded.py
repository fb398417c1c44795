"""The bytes of a scan by position, with an end to the work that hostile bytes can ask for; pure."""

from __future__ import annotations

import struct
from collections.abc import Callable

ReadAt = Callable[[int, int], bytes]
"""`read_at(offset, length)`: the bytes from `offset` on, fewer than `length` only at the end of the file."""

_BLOCK = 1 << 15
_WINDOW = 1 << 18
_MOST_WORK = 1_000_000
"""What takes longer to follow (about half a second) was made to keep us busy."""


class EndsEarly(Exception):  # a finding, not a failure
    """The file ends, or was not written yet, where its structure goes on.

    The message says what is missing, and completes "so many bytes arrived, but".
    """


class CannotTell(Exception):  # a finding, not a failure
    """The structure is damaged or made to keep us busy: whether anything is missing cannot be told."""


class Bytes:
    """Raises EndsEarly for what lies beyond the end, CannotTell after too much work."""

    def __init__(self, size: int, read_at: ReadAt) -> None:
        self.size = size
        self._read_at = read_at
        self._start = 0
        self._block = b""
        self._work = 0

    def at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset` on."""
        self.must_reach(offset + length)
        self._spend(1 + length // 16)
        start = offset - self._start
        if start < 0 or start + length > len(self._block):
            self._start, self._block, start = offset, self._read_at(offset, max(length, _BLOCK)), 0
        found = self._block[start : start + length]
        if len(found) < length:
            raise EndsEarly(ANNOUNCED)
        return found

    def numbers(self, layout: str, offset: int) -> tuple[int, ...]:
        """The numbers at `offset`, laid out as `struct` says."""
        return struct.unpack(layout, self.at(offset, struct.calcsize(layout)))

    def window(self, offset: int) -> bytes:
        """A large piece from `offset` on, for searching; empty beyond the end."""
        self._spend(100)
        return self._read_at(offset, _WINDOW)

    def tail(self, length: int) -> bytes:
        """The last `length` bytes, or all there are."""
        start = max(0, self.size - length)
        return self.at(start, self.size - start)

    def must_reach(self, end: int) -> None:
        if end > self.size:
            raise EndsEarly(f"at least {end:,} are needed")

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > _MOST_WORK:
            raise CannotTell


ANNOUNCED = "more are announced"
NO_END = "its end marker is missing"
NOT_WRITTEN = "a part of them is still blank"
