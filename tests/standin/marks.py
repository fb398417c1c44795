"""Pictures that carry a number in big black and white blocks, and the reader that gets it back.

The strip on top of the picture is a grid of 14 by 4 blocks. The outer columns are fixed: each has white and
black, which no blank, rotated or mirrored picture has at the same places. Between them stand 32 bits of the
number and 16 bits of checksum, row by row, black is 1.
"""

from __future__ import annotations

import binascii
import textwrap

from PIL import Image, ImageDraw, ImageFont

COLUMNS = 14
ROWS = 4
STRIP = 0.32
"""The strip's share of the picture's height."""
SMALLEST = (160, 120)
LIMIT = 1 << 32

_LEFT = (1, 0, 1, 0)
_RIGHT = (0, 1, 1, 0)
_FINE = 3  # samples per block and side: the middle one is clear of the blurred edges
_DARK = 96
_LIGHT = 160


def draw(number: int, *, width: int = 400, height: int = 300, words: str = "") -> Image.Image:
    """An RGB picture with the strip for `number` on top and readable text below it."""
    if not 0 <= number < LIMIT:
        raise ValueError(f"a mark is a number from 0 to {LIMIT - 1}, not {number}")
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise ValueError(f"a picture with a mark has at least {SMALLEST} pixels, not {(width, height)}")
    blocks = Image.new("L", (COLUMNS, ROWS))
    blocks.putdata([0 if bit else 255 for bit in _bits(number)])
    strip = round(height * STRIP)
    picture = Image.new("L", (width, height), 255)
    picture.paste(blocks.resize((width, strip), Image.Resampling.NEAREST), (0, 0))
    _write(picture, f"SCAN {number}\n{words}", strip)
    return picture.convert("RGB")


def read(image: Image.Image) -> int | None:
    """The number of an upright picture, None where there is no mark. Only the strip is looked at."""
    if image.width < COLUMNS * _FINE or image.height * STRIP < ROWS * _FINE:
        return None
    strip = _grey(image.crop((0, 0, image.width, round(image.height * STRIP))))
    fine = strip.resize((COLUMNS * _FINE, ROWS * _FINE), Image.Resampling.BOX).tobytes()
    middles = [
        fine[(row * _FINE + 1) * COLUMNS * _FINE + column * _FINE + 1]
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    if any(_DARK < middle < _LIGHT for middle in middles):
        return None
    return _number([int(middle <= _DARK) for middle in middles])


def _bits(number: int) -> list[int]:
    data = number.to_bytes(4, "big")
    payload = int.from_bytes(data + _checksum(data), "big")
    rows = [payload >> 12 * (ROWS - 1 - row) & 0xFFF for row in range(ROWS)]
    return [
        bit
        for left, row, right in zip(_LEFT, rows, _RIGHT, strict=True)
        for bit in (left, *(row >> 11 - place & 1 for place in range(12)), right)
    ]


def _number(bits: list[int]) -> int | None:
    rows = [bits[start : start + COLUMNS] for start in range(0, COLUMNS * ROWS, COLUMNS)]
    if tuple(row[0] for row in rows) != _LEFT or tuple(row[-1] for row in rows) != _RIGHT:
        return None
    payload = int("".join(str(bit) for row in rows for bit in row[1:-1]), 2).to_bytes(6, "big")
    return int.from_bytes(payload[:4], "big") if _checksum(payload[:4]) == payload[4:] else None


def _checksum(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(2, "big")


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion to L clips instead of scaling
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("L")


def _write(picture: Image.Image, text: str, top: int) -> None:
    size = max(10, picture.height // 14)
    font = ImageFont.load_default(size)
    across = max(8, int(picture.width * 1.6 / size))
    lines = [piece for line in text.splitlines() for piece in textwrap.wrap(line, across) or [""]]
    ImageDraw.Draw(picture).multiline_text((size // 2, top + size // 2), "\n".join(lines), 0, font)
