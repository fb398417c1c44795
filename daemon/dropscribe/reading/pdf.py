"""PDF, page by page: the only importer of pypdfium2."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from dropscribe.errors import BadScan
from dropscribe.reading.document import check_pixels
from dropscribe.reading.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

_POINTS = 72  # to an inch
_WHOLE_PAGE = 0.7
"""Share of a page that a picture covers which is the scan of it; scanners crop and skew."""
_LONGEST_SIDE = 65_000  # pixels; the size of the picture that is sent bounds it much lower
_LEAST_LETTERS = 8
"""Of a text layer: fewer are a stamp or a page number over a scan."""
_LEAST_LETTERS_OVER_SCAN = 200
_PART = 0.3
"""Share of a page from which on a picture may hold text of its own."""
_DEPTH = 6  # forms inside each other that are looked into

_BY_CODE = {
    pdfium_c.FPDF_ERR_PASSWORD: (
        "this PDF is protected by a password",
        "save it without the password and drop it in again",
    ),
    pdfium_c.FPDF_ERR_SECURITY: (
        "this PDF is protected in a way that cannot be opened",
        "save it without that protection and drop it in again",
    ),
}


class PdfDocument:
    """An open PDF; pages are numbered from 1."""

    def __init__(self, path: Path, dpi: int, most_pixels: int) -> None:
        """`dpi`: the finest rendering of what is drawn and not scanned; raises BadScan."""
        with _damage():
            self._pdf = pdfium.PdfDocument(path)
            self._count = len(self._pdf)
            with suppress(pdfium.PdfiumError):
                # What was typed into a form is drawn only with this.
                self._pdf.init_forms()
        self._dpi = dpi
        self._most = most_pixels
        self._open_page: pdfium.PdfPage | None = None
        if not self._count:
            raise BadScan("this PDF is damaged: it has no pages")

    @property
    def count(self) -> int:
        return self._count

    def page(self, number: int) -> PdfPage:
        if self._open_page is not None:
            self._open_page.close()
            self._open_page = None
        with _damage("the page"):
            self._open_page = self._pdf[number - 1]
            return PdfPage(self._open_page, self._dpi, self._most)

    def close(self) -> None:
        self._pdf.close()


class PdfPage:
    """One page of an open PDF; a page that is one scanned picture and nothing else has that picture's resolution."""

    def __init__(self, page: pdfium.PdfPage, dpi: int, most: int) -> None:
        self._page = page
        self._points = page.get_size()
        if min(self._points) <= 0:
            raise BadScan("the page is damaged: it has no width or no height")
        pictures = tuple(_pictures(page, most))
        self._covered = max((picture.share for picture in pictures), default=0.0)
        drawn = dpi / _POINTS
        if len(pictures) == 1 and self._covered >= _WHOLE_PAGE and not _has_more(page):
            self._scale = pictures[0].scale
        else:
            # Print and lines over a coarse picture, or a page in layers: as fine as the finest of them.
            self._scale = max(drawn, *(picture.scale for picture in pictures if picture.share >= _PART), 0.0)

    @property
    def sides(self) -> tuple[int, int]:
        width, height = (min(_LONGEST_SIDE, max(1, round(side * self._scale))) for side in self._points)
        return width, height

    @property
    def text(self) -> str:
        """The text layer, if it is one: fit to be read, and more than a stamp on a scan."""
        with _damage("the page"):
            layer = self._page.get_textpage()
            try:
                text = layer.get_text_bounded()
            finally:
                layer.close()
        letters = sum(letter.isalnum() for letter in text)
        least = _LEAST_LETTERS_OVER_SCAN if self._covered >= _PART else _LEAST_LETTERS
        return text if letters >= least and not _is_garbled(text) else ""

    def drawn(self, sides: tuple[int, int]) -> Image.Image:
        scale = sides[0] / self._points[0]
        with _damage("the page"):
            bitmap = self._page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
            image = bitmap.to_pil().copy()
            bitmap.close()
        image = plain(image)
        # Points are no whole pixels: rendering may come out one row off.
        return image if image.size == sides else image.resize(sides)


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on a page: its pixels to a point, and the share of the page that it covers."""

    scale: float
    share: float


def _pictures(page: pdfium.PdfPage, most: int) -> Iterator[_Picture]:
    width, height = page.get_size()
    for found in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH):
        across, down = found.get_px_size()
        check_pixels((across, down), most, "a picture on this page")
        left, bottom, right, top = found.get_bounds()
        area = (right - left) * (top - bottom) if right > left and top > bottom else 0.0
        if found.level > 0:
            # Inside a form, whose own scale is not told: as if it covered the page.
            area = width * height
        if area:
            # By area: the picture may lie on its side on the page.
            yield _Picture((across * down / area) ** 0.5, min(1.0, area / (width * height)))


def _has_more(page: pdfium.PdfPage) -> bool:
    """Whether anything but pictures is drawn on the page: print, lines, fields."""
    kinds = {found.type for found in page.get_objects(max_depth=_DEPTH)}
    return bool(kinds - {pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_FORM})


def _is_garbled(text: str) -> bool:
    """Whether letters have no meaning, as from fonts that do not say which signs they draw."""
    odd = sum(letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" or letter == "\0" for letter in text)
    return odd * 20 > len(text)


@contextmanager
def _damage(what: str = "this PDF") -> Iterator[None]:
    try:
        yield
    except pdfium.PdfiumError as error:
        known = _BY_CODE.get(getattr(error, "err_code", None))
        if known:
            raise BadScan(*known) from error
        raise BadScan(f"{what} is damaged: it cannot be opened") from error
