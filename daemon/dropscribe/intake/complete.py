"""Whether a scan is there to its last byte, from its structure alone; pure.

Nothing is decoded: each format says in its headers how far it reaches, or ends in a marker.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dropscribe import formats
from dropscribe.intake.bounded import ANNOUNCED, NO_END, NOT_WRITTEN, Bytes, CannotTell, EndsEarly
from dropscribe.intake.tiff import check_tiff
from dropscribe.words import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropscribe.intake.bounded import ReadAt

_TAIL = 2048


def cut_short(kind: str | None, size: int, read_at: ReadAt) -> str | None:
    """Why the file of `size` bytes is not whole, or None; `kind` is what `formats.sniff` said of its head.

    None also for what cannot be judged here, such as unknown or damaged content: its reader will say.
    """
    data = Bytes(size, read_at)
    try:
        _CHECKS.get(kind, _nothing_to_check)(data)
    except EndsEarly as early:
        what = {"PDF": "document", None: "file"}.get(kind, "picture")
        return f"the {what} ends early: {plural(size, 'byte')} arrived, but {early}"
    except CannotTell:
        pass
    return None


def _unknown(data: Bytes) -> None:
    head = data.at(0, min(data.size, formats.HEAD))
    if not head.strip(b"\0"):
        raise EndsEarly("their beginning is still blank")


def _nothing_to_check(data: Bytes) -> None:
    pass


def _png(data: Bytes) -> None:
    offset = 8
    while True:
        (length,) = data.numbers(">I", offset)
        kind = data.at(offset + 4, 4)
        offset += 12 + length
        if kind == b"IEND":
            return data.must_reach(offset)
        _refuse_blank(kind)
        if not kind.isalpha():
            raise CannotTell


# Neither a stuffed byte (FF 00), nor a restart (FF D0 to D7), nor filling (FF FF)
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def _jpeg(data: Bytes) -> None:
    """The first end marker outside a segment ends the main picture: thumbnails lie inside segments."""
    offset = 2
    while True:
        offset = _next_jpeg_marker(data, offset)
        marker = data.at(offset + 1, 1)
        offset += 2
        if marker == b"\xd9":
            return
        if marker not in b"\x01\xd8":
            (length,) = data.numbers(">H", offset)
            offset += length


def _next_jpeg_marker(data: Bytes, offset: int) -> int:
    while len(window := data.window(offset)) > 1:
        if found := _JPEG_MARKER.search(window):
            return offset + found.start()
        offset += len(window) - 1
    raise EndsEarly(NO_END)


def _gif(data: Bytes) -> None:
    offset = 13 + _gif_colours(data, 10)
    while (block := data.at(offset, 1)) != b";":
        _refuse_blank(block)
        if block == b",":
            offset += 11 + _gif_colours(data, offset + 9)
        elif block == b"!":
            offset += 2
        else:
            raise CannotTell
        while length := data.at(offset, 1)[0]:
            offset += 1 + length
        offset += 1


def _gif_colours(data: Bytes, offset: int) -> int:
    flags = data.at(offset, 1)[0]
    return 6 << (flags & 7) if flags & 0x80 else 0


def _webp(data: Bytes) -> None:
    (length,) = data.numbers("<I", 4)
    if not length:
        raise EndsEarly(NOT_WRITTEN)
    data.must_reach(8 + length)
    offset = 12
    while offset < length:
        _refuse_blank(data.at(offset, 4))
        (size,) = data.numbers("<I", offset + 4)
        offset += 8 + size + size % 2


def _bmp(data: Bytes) -> None:
    """Old writers announce wrong lengths, so the pixels have the last word where they are plain."""
    announced, _, pixels, header = data.numbers("<4I", 2)
    if 0 < announced <= data.size:
        return
    if header == 12:
        width, height, _, bits = data.numbers("<4H", 18)
        compression = 0
    else:
        width, height, _, bits, compression = data.numbers("<iihhI", 18)
    plain = compression in {0, 3, 6}
    data.must_reach(pixels + (width * bits + 31) // 32 * 4 * abs(height) if plain else announced)


_PPM_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_PPM_SIDES = re.compile(rb"P([1-6])" + _PPM_GAP + rb"(\d{1,9})" + _PPM_GAP + rb"(\d{1,9})")
_PPM_WHITE = re.compile(_PPM_GAP + rb"(\d{1,9})")


def _ppm(data: Bytes) -> None:
    head = data.at(0, min(data.size, _TAIL))
    sides = _PPM_SIDES.match(head)
    if not sides:
        raise EndsEarly(NOT_WRITTEN) if data.size < _TAIL else CannotTell
    layout, width, height = (int(group) for group in sides.groups())
    pixels, white = sides.end(), 1
    if layout not in {1, 4}:
        found = _PPM_WHITE.match(head, pixels)
        if not found:
            raise EndsEarly(NOT_WRITTEN) if data.size < _TAIL else CannotTell
        pixels, white = found.end(), int(found[1])
    deep = white > 255
    # The plain-text layouts (1 to 3) may hold more; so much they hold at least, a blank before each sample.
    row = {1: width, 2: 2 * width, 3: 6 * width, 4: (width + 7) // 8, 5: width << deep, 6: 3 * width << deep}
    blank = layout not in {2, 3}
    data.must_reach(pixels + blank + row[layout] * height)


def _jpeg2000(data: Bytes) -> None:
    if data.at(0, 4) == b"\xff\x4f\xff\x51":
        return _jpeg2000_end(data.tail(_TAIL))
    for name, end in _boxes(data):
        if name == b"jp2c":
            return _jpeg2000_end(data.at(max(0, end - _TAIL), min(end, _TAIL)))
    raise EndsEarly(ANNOUNCED)


def _jpeg2000_end(tail: bytes) -> None:
    """No FF is followed by more than 8F inside the packets, so D9 there is the end marker."""
    if b"\xff\xd9" not in tail:
        raise EndsEarly(NO_END)


def _heif(data: Bytes) -> None:
    met = set()
    for name, _ in _boxes(data):
        met.add(name)
        if {b"meta", b"mdat"} <= met:
            return
    if b"meta" not in met:
        raise EndsEarly(ANNOUNCED)


def _boxes(data: Bytes) -> Iterator[tuple[bytes, int]]:
    """Name and end of each box, all of it inside the file (ISO/IEC 14496-12, 4.2)."""
    offset = 0
    while offset < data.size:
        (length,) = data.numbers(">I", offset)
        name = data.at(offset + 4, 4)
        _refuse_blank(name)
        if length == 0:
            length = data.size - offset
        elif length == 1:
            (length,) = data.numbers(">Q", offset + 8)
        if length < 8:
            raise CannotTell
        offset += length
        data.must_reach(offset)
        yield name, offset


def _pdf(data: Bytes) -> None:
    if b"%%EOF" not in data.tail(_TAIL):
        raise EndsEarly(NO_END)


def _refuse_blank(found: bytes) -> None:
    """Zeros where a name must stand: the room was reserved and not filled yet."""
    if not found.strip(b"\0"):
        raise EndsEarly(NOT_WRITTEN)


_CHECKS: dict[str | None, Callable[[Bytes], None]] = {
    None: _unknown,
    "PNG": _png,
    "JPEG": _jpeg,
    "GIF": _gif,
    "TIFF": check_tiff,
    "WEBP": _webp,
    "BMP": _bmp,
    "PPM": _ppm,
    "JPEG2000": _jpeg2000,
    "PDF": _pdf,
    "HEIF": _heif,
    "AVIF": _heif,
}
