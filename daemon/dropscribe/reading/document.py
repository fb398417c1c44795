"""A scan's bytes become pages: by content alone, within limits, every failure with a reason for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dropscribe import formats
from dropscribe.errors import BadScan, world_wrong

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from dropscribe.reading.wanted import Limits, Steps

_OTHER_CONTENT = (
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"{\\rtf", "a text document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
)


class Page(Protocol):
    """One page, within the limits by its header and not decoded yet."""

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels, upright and with square pixels: more than that the page does not hold."""

    @property
    def text(self) -> str:
        """The text that the page brings along; empty for nearly all scans."""

    def drawn(self, sides: tuple[int, int]) -> Image.Image:
        """The page upright on paper, in 8 bits of grey or RGB, with these sides; raises BadScan."""


class Document(Protocol):
    """An open scan; its pages are numbered from 1, and one of them at a time is in memory."""

    @property
    def count(self) -> int: ...
    def page(self, number: int) -> Page:
        """Raises BadScan."""

    def close(self) -> None: ...


def open_document(path: Path, steps: Steps, limits: Limits) -> Document:
    """The scan at `path`, judged by its content and not by its name.

    Raises BadScan for what is no picture, is damaged or exceeds `limits`; WorldWrong when the file itself cannot
    be read.
    """
    head = _head(path)
    kind = formats.sniff(head)
    if kind is None:
        raise BadScan(_not_a_picture(head), "put a picture or a PDF into the inbox")
    document = _opened(path, kind, steps, limits)
    if document.count > limits.pages:
        document.close()
        raise BadScan(
            f"it has more than {limits.pages:,} pages, the limit",
            "split it, or raise max_pages in the config",
        )
    return document


def _opened(path: Path, kind: str, steps: Steps, limits: Limits) -> Document:
    if kind == "PDF":
        from dropscribe.reading.pdf import PdfDocument  # noqa: PLC0415 - 8 MB that most scans do without

        return PdfDocument(path, steps.dpi, limits.pixels)
    from dropscribe.reading.raster import RasterDocument  # noqa: PLC0415

    return RasterDocument(path, kind, limits, frames=steps.frames)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise world_wrong(error, path) from error
    if not head:
        raise BadScan("the file is empty")
    return head


def check_pixels(size: tuple[int, int], most: int, what: str = "the picture") -> None:
    """Raises BadScan for a picture without or with too many pixels, by its header."""
    width, height = size
    if width < 1 or height < 1:
        raise BadScan(f"{what} is damaged: it has no width or no height")
    if width * height > most:
        raise BadScan(
            f"{what} is {width:,} × {height:,} pixels, more than the limit of {_pixels(most)}",
            "scan it at a lower resolution, or raise limits.pixels in the config",
        )


def _pixels(count: int) -> str:
    return f"{count / 1e6:g} million" if count >= 1_000_000 else f"{count:,}"


def _not_a_picture(start: bytes) -> str:
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
