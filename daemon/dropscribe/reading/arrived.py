"""How much of a picture that ends early has arrived, for the reason file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFile

from dropscribe.reading.damage import DAMAGE

if TYPE_CHECKING:
    from pathlib import Path

_DIGITS = 2  # of an estimate; more would be a lie


def in_words(path: Path, kind: str, most_pixels: int) -> str:
    """`6,698 of about 21,000 bytes arrived`, or nothing where the picture does not tell how many there were."""
    size = path.stat().st_size
    share = _share(path, kind, most_pixels)
    if share is None:
        return ""
    whole = size / share
    step = 10 ** (len(str(int(whole))) - _DIGITS)
    return f"{size:,} of about {max(size + 1, round(whole / step) * step):,} bytes arrived"


def _share(path: Path, kind: str, most_pixels: int) -> float | None:
    """Which part of the rows could be decoded; None for formats that are not written row by row from the top."""
    if kind not in {"JPEG", "PNG", "GIF"}:
        return None
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with Image.open(path, formats=(kind,)) as image:
            if image.width * image.height > most_pixels:
                return None
            image.load()
            rows = _rows_with_content(image.convert("RGB"))
            return rows / image.height if 0 < rows < image.height else None
    except (*DAMAGE, MemoryError):
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _rows_with_content(image: Image.Image) -> int:
    """Rows that are missing have the colour in which the decoder left them, down to the last one."""
    bottom = image.getpixel((0, image.height - 1))
    assert isinstance(bottom, tuple)
    box = ImageChops.difference(image, Image.new("RGB", image.size, bottom)).getbbox()
    return box[3] if box else 0
