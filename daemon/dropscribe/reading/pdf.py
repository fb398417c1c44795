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
    from collections.abc import Iterator, Sequence
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
"""Share of a page from which on pictures may hold text of their own."""
_HYPHEN = "\x02"  # so pdfium writes one at the end of a line, and the line end with it
_AS_FINE = 1.1  # times: the strips of one scan differ by the rounding of their places
_LARGEST = 10_000_000  # square points, each of which becomes a pixel where masks are looked for
_BARE = 0.98  # of a page are white: nothing of it, or a line or two of print
_INVISIBLE = pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE
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
    """One page of an open PDF; a page that is one scan, whole or in strips, and nothing else has its resolution."""

    def __init__(self, page: pdfium.PdfPage, dpi: int, most: int) -> None:
        self._page = page
        self._points = page.get_size()
        if min(self._points) <= 0:
            raise BadScan("the page is damaged: it has no width or no height")
        self._pictures = tuple(_pictures(page, most))
        self._covered = min(1.0, sum(picture.share for picture in self._pictures))
        self._scale = _fineness(self._pictures)
        drawn = dpi / _POINTS
        if self._scale < drawn and not _is_one_scan(page, self._pictures):
            self._scale = drawn

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
        return text.replace(_HYPHEN, "-\n") if letters >= least and not _is_garbled(text) else ""

    def drawn(self, sides: tuple[int, int]) -> Image.Image:
        scale = sides[0] / self._points[0]
        with _damage("the page"):
            bitmap = self._page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
            image = bitmap.to_pil().copy()
            bitmap.close()
            image = plain(image)
            if self._covered >= _PART and _is_bare(image):
                self._check_pictures()
        # Points are no whole pixels: rendering may come out one row off.
        return image if image.size == sides else image.resize(sides)

    def _check_pictures(self) -> None:
        """A picture that cannot be decoded is left out of the page, which then looks blank and is not."""
        for picture in self._pictures:
            if _opacity(picture.found)[1] == 0 and not _is_decodable(picture.found):
                raise BadScan(
                    "a picture on this page is damaged: it cannot be decoded",
                    "scan it again, or save the PDF again with another program",
                )


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture on a page: its pixels to a point, and the share of the page that it covers."""

    found: pdfium.PdfImage
    scale: float
    share: float


def _pictures(page: pdfium.PdfPage, most: int) -> Iterator[_Picture]:
    width, height = page.get_size()
    for found in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH):
        across, down = found.get_px_size()
        check_pixels((across, down), most, "a picture on this page")
        if area := _area(found):
            # By area: the picture may lie on its side on the page.
            yield _Picture(found, (across * down / area) ** 0.5, min(1.0, area / (width * height)))


def _area(picture: pdfium.PdfObject | None) -> float:
    """In square points: a picture is drawn as a square of one point a side, in the scale of all forms around it."""
    area = 1.0
    while picture is not None:
        matrix = picture.get_matrix()
        area *= abs(matrix.a * matrix.d - matrix.b * matrix.c)
        picture = picture.container
    return area


def _fineness(pictures: Sequence[_Picture]) -> float:
    """Pixels to a point that a good part of the page has at least; 0.0 where there are too few pictures."""
    covered = 0.0
    for picture in sorted(pictures, key=lambda picture: -picture.scale):
        covered += picture.share
        if covered >= _PART:
            return picture.scale
    return 0.0


def _is_one_scan(page: pdfium.PdfPage, pictures: Sequence[_Picture]) -> bool:
    """Whether the page is a scan, whole or in strips, and nothing that could be finer: print, lines, layers."""
    covered, fine = sum(picture.share for picture in pictures), _fineness(pictures)
    return (
        covered >= _WHOLE_PAGE
        and all(picture.scale <= _AS_FINE * fine for picture in pictures)
        and not any(map(_is_drawn, page.get_objects(max_depth=_DEPTH)))
        and not any(_is_masked(picture.found) for picture in pictures)
    )


def _is_masked(picture: pdfium.PdfImage) -> bool:
    """Whether something shows through: a mask has pixels of its own, often more, and does not tell how many."""
    return _opacity(picture)[0] < 255


def _opacity(picture: pdfium.PdfImage) -> tuple[int, int]:
    """The least and the most of it, 0 to 255, of a small copy: 0 all over is a picture that is not there."""
    if _area(picture) > _LARGEST:
        return 0, 255  # not looked at: whatever it may be
    shown = picture.get_bitmap(render=True, scale_to_original=False).to_pil()
    if "A" not in shown.mode:
        return 255, 255
    least, most = shown.getchannel("A").getextrema()
    return int(least), int(most)


def _is_decodable(picture: pdfium.PdfImage) -> bool:
    try:
        picture.get_bitmap()
    except pdfium.PdfiumError:
        return False
    return True


def _is_bare(page: Image.Image) -> bool:
    return page.convert("L").histogram()[255] > _BARE * page.width * page.height


def _is_drawn(found: pdfium.PdfObject) -> bool:
    if found.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
        # What a scanner has read lies unseen over its picture.
        return bool(pdfium_c.FPDFTextObj_GetTextRenderMode(found) != _INVISIBLE)
    return found.type not in {pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_FORM}


def _is_garbled(text: str) -> bool:
    """Whether letters have no meaning, as from fonts that do not say which signs they draw."""
    odd = sum(letter == "\ufffd" or "\ue000" <= letter <= "\uf8ff" or _is_control(letter) for letter in text)
    return odd * 20 > len(text)


def _is_control(letter: str) -> bool:
    return letter < " " and letter not in "\t\r\n" + _HYPHEN


@contextmanager
def _damage(what: str = "this PDF") -> Iterator[None]:
    try:
        yield
    except pdfium.PdfiumError as error:
        known = _BY_CODE.get(getattr(error, "err_code", None))
        if known:
            raise BadScan(*known) from error
        raise BadScan(f"{what} is damaged: it cannot be opened") from error
