"""Documents that Pillow reads: pictures, TIFFs of many pages, photos of phones, animations."""

from __future__ import annotations

from typing import TYPE_CHECKING

# For a plugin that is not imported yet, Image.open would import all of its forty.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from dropscribe.reading.damage import DAMAGE, damage_is_bad_scan
from dropscribe.reading.document import check_pixels
from dropscribe.reading.plain import by_profile, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropscribe.reading.wanted import Limits

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})

_ANIMATIONS = frozenset({"GIF", "WEBP", "PNG", "AVIF"})


class RasterDocument:
    """A file that Pillow opens; the file stays open and each page is read from it anew."""

    def __init__(self, path: Path, kind: str, limits: Limits, *, frames: bool) -> None:
        """`frames`: every picture of an animation is a page; raises BadScan."""
        if kind == "HEIF":
            from dropscribe.reading import heif  # noqa: PLC0415 - 26 MB that only phones' photos need

            heif.register()
        self._path = path
        self._kind = kind
        self._limits = limits
        with damage_is_bad_scan(kind):
            self._image = self._open()
            try:
                self._frames = tuple(self._pages(all_frames=frames))
            except BaseException:
                self._image.close()
                raise

    @property
    def count(self) -> int:
        return len(self._frames)

    def page(self, number: int) -> RasterPage:
        with damage_is_bad_scan(self._kind):
            self._at(self._frames[number - 1])
            return RasterPage(self._image, self._kind, self._limits.pixels)

    def close(self) -> None:
        self._image.close()

    def _open(self) -> Image.Image:
        # A phone's JPEG with extra pictures is a JPEG for us: its first picture is the page.
        return Image.open(self._path, formats=(self._kind,))

    def _at(self, frame: int) -> None:
        """The frame is fresh: a picture that was decoded in another size, or turned, is opened again."""
        if self._kind == "TIFF" and self._image.tell() != frame:
            self._image.seek(frame)
            return
        self._image.close()
        self._image = self._open()
        if frame:
            self._image.seek(frame)

    def _pages(self, *, all_frames: bool) -> Iterator[int]:
        """Which frames are pages: of a TIFF all but thumbnails, of an animation the first, unless all are wanted.

        One more than the limit is enough to know; a hostile chain of directories is not followed further.
        """
        several = self._kind == "TIFF" or (all_frames and self._kind in _ANIMATIONS)
        found = 0
        for frame in range(3 * self._limits.pages + 3 if several else 0):
            try:
                self._image.seek(frame)
            except EOFError:
                break
            if not _is_thumbnail(self._image):
                found += 1
                yield frame
            if found > self._limits.pages:
                break
        if not found:
            yield 0


def _is_thumbnail(image: Image.Image) -> bool:
    """NewSubfileType of TIFF 6.0: bit 0 marks a reduced copy of another frame, bit 2 a mask."""
    kind = image.tag_v2.get(254, 0) if isinstance(image, TiffImagePlugin.TiffImageFile) else 0
    return isinstance(kind, int) and bool(kind & 0b101)


class RasterPage:
    """One frame of an open file."""

    text = ""

    def __init__(self, image: Image.Image, kind: str, most: int) -> None:
        check_pixels(image.size, most)
        if kind == "PNG":
            # A PNG may tell how it lies behind its pixels, so Pillow decodes it to find out: here its damage shows.
            image.load()
        self._image = image
        self._kind = kind
        self._stretch = _stretch(image)
        # A TIFF is turned by Pillow as it is decoded, and its size is told as it will be then.
        self._on_its_side = kind != "TIFF" and orientation(image) in _ON_ITS_SIDE

    @property
    def sides(self) -> tuple[int, int]:
        width, height = _natural(self._image.size, self._stretch)
        return (height, width) if self._on_its_side else (width, height)

    def drawn(self, sides: tuple[int, int]) -> Image.Image:
        target = sides[::-1] if self._on_its_side else sides
        with damage_is_bad_scan(self._kind):
            image = self._image
            # JPEG decodes to a half or a quarter at less cost; twice the target leaves LANCZOS its work.
            image.draft(None, (2 * target[0], 2 * target[1]))
            image.load()
            turn = _UPRIGHT.get(orientation(image))
            image = plain(image)
            if image.size != target:
                image = image.resize(target, Image.Resampling.LANCZOS)
            if image.mode == "CMYK":
                image = by_profile(image)
            return image if turn is None else image.transpose(turn)


def _stretch(image: Image.Image) -> float:
    """How much higher than wide a pixel is: about 2 in a fax of 204 × 98 dots per inch."""
    try:
        across, down = (float(dots) for dots in image.info["dpi"])
    except (KeyError, TypeError, ValueError):
        return 1.0
    if not (50 <= across <= 2400 and 50 <= down <= 2400 and 1 / 4 <= across / down <= 4):
        return 1.0
    # Pillow reports the size of a TIFF as it will be once decoded and turned, but its dots as stored.
    turned = image.format == "TIFF" and orientation(image) in _ON_ITS_SIDE
    return down / across if turned else across / down


def _natural(size: tuple[int, int], stretch: float) -> tuple[int, int]:
    width, height = size
    return (width, round(height * stretch)) if stretch > 1 else (round(width / stretch), height)


def orientation(image: Image.Image) -> int:
    """The EXIF orientation still to be applied."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except DAMAGE:  # a broken EXIF block is no reason to refuse the picture
        return 1
