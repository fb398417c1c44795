"""A page becomes what is sent of it: one picture or several bands, no larger than useful, PNG or JPEG."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from dropscribe.reading.plain import WHITE
from dropscribe.reading.wanted import Prepared
from dropscribe.values import Picture

if TYPE_CHECKING:
    from dropscribe.reading.document import Page
    from dropscribe.reading.wanted import Steps, Wanted
    from dropscribe.values import Size

MIN_SIDE = 64
MAX_RATIO = 100
"""Ollama 0.24 panics below 28 pixels a side and above a ratio of 1:200 (qwen-vl); this keeps well clear."""

_CLOCKWISE = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def prepare(page: Page, wanted: Wanted, steps: Steps) -> Prepared:
    """`page` ready to be asked about; raises BadScan."""
    if steps.text_layer and (text := page.text):
        return Prepared(text=text)
    image = page.drawn(fitting(page.sides, wanted.size))
    if wanted.turn:
        image = image.transpose(_CLOCKWISE[wanted.turn])
    return Prepared((encoded(padded(image), lossy=page.lossy),))


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


def encoded(image: Image.Image, *, lossy: bool) -> Picture:
    """As PNG or JPEG, whichever is smaller; `lossy`: PNG would only keep the noise of an earlier JPEG."""
    image.info = {}  # Pillow would write a profile, a comment or a transparent colour along
    kind = "PNG" if not lossy and _packs_well(image) else "JPEG"
    return Picture(_bytes(image, kind), kind, image.width, image.height)


def _packs_well(image: Image.Image) -> bool:
    """Whether PNG comes out no larger than JPEG, tried on a few bands: clean print yes, photographs no."""
    width, height = image.size
    band = max(1, height // 36)
    bands = [
        image.crop((0, top, width, top + band)) for top in range(height // 5, height, max(1, height // 4))
    ]
    return sum(len(_bytes(b, "PNG")) for b in bands) <= sum(len(_bytes(b, "JPEG")) for b in bands)


def _bytes(image: Image.Image, kind: str) -> bytes:
    stream = BytesIO()
    if kind == "PNG":
        image.save(stream, "PNG", compress_level=4)
    else:
        image.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()
