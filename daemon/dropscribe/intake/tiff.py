"""Whether a TIFF or BigTIFF holds all its pages: its directories, and the strips or tiles they name; pure.

A file of several pages is whole after each of them: that another one follows, only time can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from dropscribe.intake.bounded import NOT_WRITTEN, CannotTell, EndsEarly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.intake.bounded import Bytes

_STRIPS = (273, 279)
_TILES = (324, 325)
_TABLES = (258, 320, 347)  # what decoding needs besides: bits per sample, colours, JPEG tables
_NUMBERS = {3: ("H", 2), 4: ("I", 4), 7: ("B", 1), 16: ("Q", 8)}  # SHORT, LONG, UNDEFINED, LONG8
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Layout:
    """Byte order, and how the sizes of classic TIFF and BigTIFF differ."""

    order: str
    count: str
    entry: int
    pointer: str
    pointer_size: int


def check_tiff(data: Bytes) -> None:
    """Raises EndsEarly where something named in a directory lies beyond the end of the file."""
    order = "<" if data.at(0, 2) == b"II" else ">"
    (version,) = data.numbers(order + "H", 2)
    if version == 43:
        layout, where = _Layout(order, "Q", 20, "Q", 8), 8
    else:
        layout, where = _Layout(order, "H", 12, "I", 4), 4
    (offset,) = data.numbers(order + layout.pointer, where)
    if not offset:
        raise EndsEarly(NOT_WRITTEN)
    met: set[int] = set()
    while offset and offset not in met:
        met.add(offset)
        offset = _check_directory(data, layout, offset)


def _check_directory(data: Bytes, layout: _Layout, offset: int) -> int:
    """The offset of the next directory, 0 after the last."""
    (count,) = data.numbers(layout.order + layout.count, offset)
    if not count:
        raise EndsEarly(NOT_WRITTEN)
    if count > 0xFFFF:
        raise CannotTell
    offset += 8 if layout.count == "Q" else 2
    end = offset + count * layout.entry
    entries = data.at(offset, end - offset)
    found = {}
    for start in range(0, len(entries), layout.entry):
        tag = int.from_bytes(entries[start : start + 2], "little" if layout.order == "<" else "big")
        found[tag] = offset + start
    for offsets, counts in (_STRIPS, _TILES):
        if offsets in found:
            _check_pieces(data, layout, found[offsets], found.get(counts))
    for table in _TABLES:
        if table in found:
            _place(data, layout, found[table])
    (following,) = data.numbers(layout.order + layout.pointer, end)
    return following


def _check_pieces(data: Bytes, layout: _Layout, offsets: int, counts: int | None) -> None:
    lengths = _values(data, layout, counts) if counts is not None else iter(())
    for offset, length in zip(_values(data, layout, offsets), chain(lengths, repeat(0)), strict=False):
        data.must_reach(offset + length)


def _values(data: Bytes, layout: _Layout, entry: int) -> Iterator[int]:
    offset, count, letter, size = _place(data, layout, entry)
    for start in range(0, count, _AT_ONCE):
        some = min(_AT_ONCE, count - start)
        yield from data.numbers(f"{layout.order}{some}{letter}", offset + start * size)


def _place(data: Bytes, layout: _Layout, entry: int) -> tuple[int, int, str, int]:
    """Where the numbers of `entry` begin, how many, and their kind; they stand in it if they fit."""
    (kind,) = data.numbers(layout.order + "H", entry + 2)
    (count,) = data.numbers(layout.order + layout.pointer, entry + 4)
    if kind not in _NUMBERS:
        raise CannotTell
    letter, size = _NUMBERS[kind]
    offset = entry + 4 + layout.pointer_size
    if count * size > layout.pointer_size:
        (offset,) = data.numbers(layout.order + layout.pointer, offset)
        data.must_reach(offset + count * size)
    return offset, count, letter, size
