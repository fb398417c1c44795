"""A scan's bytes become pages: by content alone, within limits, every failure with a reason for people."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Self

# For a plugin that is not imported yet, Image.open would import all of its forty.
from PIL import Image, Jpeg2KImagePlugin, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from dropscribe import formats
from dropscribe.errors import BadScan, DropscribeError, Unsupported, world_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Pillow's own limit is a global that warns first; the header is checked here against the limit of the config.
Image.MAX_IMAGE_PIXELS = None
# What a plugin finds wrong with a file reaches people as our reason.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

MOST_PAGES_COUNTED = 100
"""A hostile chain of TIFF directories is not followed further."""

# What Pillow was seen to raise on damaged bytes; AssertionError and AttributeError are slips of its own.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AssertionError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_OTHER_CONTENT = (
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"{\\rtf", "a text document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scan may have at most: `bytes` in the file, `pixels` in one page."""

    bytes: int
    pixels: int


class Document:
    """An open scan; its pages are numbered from 1, and each call of `page` gives a picture of its own."""

    def __init__(self, data: bytes, kind: str, frames: tuple[int, ...], limits: Limits) -> None:
        self._data = data
        self._kind = kind
        self._frames = frames
        self._limits = limits

    @property
    def pages(self) -> int:
        return len(self._frames)

    def page(self, number: int) -> Image.Image:
        """Page `number`, within the limits by its header, not yet decoded; raises BadScan."""
        with damage_is_bad_scan(self._kind):
            image = _open(self._data, self._kind)
            if self._kind == "TIFF":
                image.seek(self._frames[number - 1])
            _check_pixels(image.size, self._limits.pixels)
            return image

    def close(self) -> None:
        self._data = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_document(path: Path, limits: Limits) -> Document:
    """The scan at `path`, read whole, judged by its content and not by its name.

    Raises BadScan for what is no picture, is damaged or exceeds `limits`; Unsupported for formats and
    numbers of pages that a later version reads; WorldWrong when the file itself cannot be read.
    """
    data = _read(path, limits.bytes)
    kind = formats.sniff(data[: formats.HEAD])
    if kind is None:
        raise BadScan(_not_a_picture(data))
    if kind not in formats.READ:
        raise Unsupported(f"{kind} files are read by a later version")
    document = Document(data, kind, _frames(data, kind), limits)
    if document.pages > 1:
        count = f"more than {MOST_PAGES_COUNTED}" if document.pages > MOST_PAGES_COUNTED else document.pages
        raise Unsupported(f"it has {count} pages; files with several pages are read by a later version")
    document.page(1)
    return document


@contextmanager
def damage_is_bad_scan(kind: str) -> Iterator[None]:
    """Whatever Pillow raises inside becomes BadScan with a reason for people; its warnings are not shown."""
    with warnings.catch_warnings():
        # Threads that overlap here may leave this filter in place for good: nothing is lost by that.
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            yield
        except DropscribeError:
            raise
        except MemoryError:
            raise BadScan("the picture needs more memory to decode than there is") from None
        except DAMAGE as error:
            raise BadScan(f"the picture is damaged: {_in_words(error, kind)}") from error


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except OSError as error:
        raise world_wrong(error, path) from error
    if not data:
        raise BadScan("the file is empty")
    if len(data) > most:
        raise BadScan(f"the file is larger than the limit of {most / 1e6:,.6g} MB")
    return data


def _open(data: bytes, kind: str) -> Image.Image:
    return Image.open(BytesIO(data), formats=(kind,))


def _frames(data: bytes, kind: str) -> tuple[int, ...]:
    """Which frames are pages: of an animation, and of a phone's JPEG with extra pictures, only the first."""
    if kind != "TIFF":
        return (0,)
    with damage_is_bad_scan(kind):
        image = _open(data, kind)
        pages = []
        for frame in range(MOST_PAGES_COUNTED + 1):
            try:
                image.seek(frame)
            except EOFError:
                break
            if not _is_thumbnail(image):
                pages.append(frame)
        return tuple(pages) or (0,)


def _is_thumbnail(image: Image.Image) -> bool:
    """NewSubfileType of TIFF 6.0: bit 0 marks a reduced copy of another frame, bit 2 a mask."""
    kind = image.tag_v2.get(254, 0) if isinstance(image, TiffImagePlugin.TiffImageFile) else 0
    return isinstance(kind, int) and bool(kind & 0b101)


def _check_pixels(size: tuple[int, int], most: int) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise BadScan("the picture is damaged: it has no width or no height")
    if width * height > most:
        raise BadScan(
            f"the picture is {width:,} × {height:,} pixels, more than the limit of {_pixels(most)}",
            "scan it with a lower resolution or raise the limit",
        )


def _pixels(count: int) -> str:
    return f"{count / 1e6:g} million" if count >= 1_000_000 else f"{count:,}"


def _not_a_picture(data: bytes) -> str:
    start = data[:512]
    for magic, words in _OTHER_CONTENT:
        if start.startswith(magic):
            return f"this is not a picture: its content is {words}"
    if not any(start):
        return "this is not a picture: its content is nothing but zeros"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "this is not a picture: its content is a web page"
    if _is_text(start):
        return "this is not a picture: its content is text"
    return "this is not a picture that can be read: it starts like none of the known formats"


def _is_text(start: bytes) -> bool:
    # errors="ignore" only for a letter that the cut at 512 bytes has split
    letters = start.decode("utf-8", errors="ignore")
    whole = bool(letters) and len(start) - len(letters.encode()) < 4
    return whole and all(letter.isprintable() or letter in "\t\r\n\f" for letter in letters)


def _in_words(error: BaseException, kind: str) -> str:
    said = str(error)
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return "it ends too early"
    if isinstance(error, UnidentifiedImageError):
        return f"it starts like a {kind} file, but its header makes no sense"
    detail = f" ({said})" if said.isascii() and said.isprintable() and 0 < len(said) <= 80 else ""
    return f"its {kind} data cannot be decoded{detail}"
