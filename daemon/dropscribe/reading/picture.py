"""A page becomes what is sent of it: one picture or several bands, no larger than useful, PNG or JPEG."""

from __future__ import annotations

import math
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import Image

from dropscribe.reading.bands import band_scale, bands, how_many
from dropscribe.reading.blank import is_blank
from dropscribe.reading.contrast import strengthened
from dropscribe.reading.plain import WHITE
from dropscribe.reading.skew import levelled
from dropscribe.reading.wanted import Prepared
from dropscribe.values import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropscribe.reading.document import Page
    from dropscribe.reading.wanted import Steps, Wanted
    from dropscribe.values import Size

MIN_SIDE = 64
MAX_RATIO = 100
"""Ollama 0.24 panics below 28 pixels a side and above a ratio of 1:200 (qwen-vl); this keeps well clear."""

_CLEARLY = 1.1
"""Times as large as PNG JPEG must be to be worth the work."""

_LEAST_BAND = 400_000
"""Pixels: half of A4 at 90 dpi. A page with less is not too full for one answer."""

_CLOCKWISE = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def prepare(page: Page, wanted: Wanted, steps: Steps) -> Prepared:
    """`page` ready to be asked about; raises BadScan."""
    if steps.text_layer and (text := page.text):
        return Prepared(text=text)
    across, down = page.sides[::-1] if wanted.turn in {90, 270} else page.sides
    count = _bands(across, down, wanted, steps) if steps.bands else 1
    image = _improved(page.drawn(_sides(page.sides, wanted, count)), wanted, steps)
    if image is None:
        return Prepared()
    cut = bands(image, count) if count > 1 else ()
    if len(cut) < 2:
        return Prepared((encoded(padded(_within(image, wanted.size))),))
    pieces = [image.crop((0, band.top, image.width, band.bottom)) for band in cut]
    kept: Sequence[int] = range(len(cut))
    if steps.blank:
        # Asked about an empty part of a page, models invent texts too.
        kept = [place for place in kept if not is_blank(pieces[place])] or kept
    pictures = (encoded(padded(_within(pieces[place], wanted.size))) for place in kept)
    # Where a band between two was left out, neither saw anything of the other.
    overlaps = (place == before + 1 and cut[place].overlap > 0 for before, place in pairwise(kept))
    return Prepared(tuple(pictures), tuple(overlaps))


def _bands(width: int, height: int, wanted: Wanted, steps: Steps) -> int:
    """As many as a recipe wants, unless too little is in each, and as many as make the page legible."""
    worth_it = min(wanted.bands, max(1, width * height // _LEAST_BAND))
    return max(worth_it, how_many(width, height, wanted.size, dense=steps.bands == "dense"))


def _sides(sides: tuple[int, int], wanted: Wanted, count: int) -> tuple[int, int]:
    """The sides at which the page is drawn so that each of `count` bands is as large as it may be."""
    width, height = sides[::-1] if wanted.turn in {90, 270} else sides
    if count == 1:
        return fitting(sides, wanted.size)
    scale = band_scale(width, height, count, wanted.size)
    return max(1, math.floor(sides[0] * scale)), max(1, math.floor(sides[1] * scale))


def _improved(image: Image.Image, wanted: Wanted, steps: Steps) -> Image.Image | None:
    """The page after the steps that are wanted; None where there is nothing on it."""
    if wanted.turn:
        image = image.transpose(_CLOCKWISE[wanted.turn])
    # Before levelling, which would take the noise of an empty page for lines.
    if steps.blank and is_blank(image):
        return None
    if steps.deskew:
        image = levelled(image)
    return strengthened(image) if steps.contrast else image


def _within(image: Image.Image, size: Size) -> Image.Image:
    """Levelling makes a page a little larger, and a band may be cut a little higher than planned."""
    sides = fitting(image.size, size)
    return image if sides == image.size else image.resize(sides, Image.Resampling.LANCZOS)


def fitting(natural: tuple[int, int], size: Size) -> tuple[int, int]:
    """The sides of a picture of `natural` sides within `size`, never larger than it is."""
    width, height = natural
    scale = min(1.0, size.side / max(natural), math.sqrt(size.pixels / (width * height)))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


def padded(image: Image.Image) -> Image.Image:
    """White around a picture that is too small or too narrow for a model."""
    least = max(MIN_SIDE, max(image.size) // MAX_RATIO + 1)
    width, height = max(image.width, least), max(image.height, least)
    if (width, height) == image.size:
        return image
    paper = Image.new(image.mode, (width, height), 255 if image.mode == "L" else WHITE)
    paper.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return paper


def encoded(image: Image.Image) -> Picture:
    """As PNG or JPEG, whichever is smaller: clean print as PNG, photographs and grained scans as JPEG."""
    image.info = {}  # Pillow would write a profile, a comment or a transparent colour along
    kind = "PNG" if _packs_well(image) else "JPEG"
    return Picture(encode(image, kind), kind, image.width, image.height)


def _packs_well(image: Image.Image) -> bool:
    """Whether PNG comes out clearly smaller, tried on a few bands: it takes eight times as long to make."""
    width, height = image.size
    band = max(1, height // 36)
    bands = [
        image.crop((0, top, width, top + band)) for top in range(height // 5, height, max(1, height // 4))
    ]
    as_png, as_jpeg = (sum(len(encode(band, kind)) for band in bands) for kind in ("PNG", "JPEG"))
    return _CLEARLY * as_png <= as_jpeg


def encode(image: Image.Image, kind: str) -> bytes:
    stream = BytesIO()
    if kind == "PNG":
        image.save(stream, "PNG", compress_level=4)
    else:
        image.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()
