"""Pages of the kinds that scanners, phones and offices make, drawn here."""

from __future__ import annotations

import random
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pillow_heif import register_heif_opener

if TYPE_CHECKING:
    from collections.abc import Callable

register_heif_opener()

A4 = (8.27, 11.69)  # inches
_WORDS = (
    "the boiler of the house was mended on Monday and the bill of 184.50 comes with this letter "
    "please pay within thirty days to the account below rooms windows doors paint hours material"
).split()


def printed(dpi: int, mode: str = "L") -> Image.Image:
    """A full page of print of 11 points on paper that is not quite white."""
    width, height = (round(side * dpi) for side in A4)
    page = Image.new("L", (width, height), 250)
    pen, chance = ImageDraw.Draw(page), random.Random(7)
    font = ImageFont.load_default(11 * dpi / 72)
    for row in range(dpi, height - dpi, round(16 * dpi / 72)):
        line = ""
        while pen.textlength(line, font) < width - 2.2 * dpi:
            line += chance.choice(_WORDS) + " "
        pen.text((dpi, row), line.strip(), 20, font)
    return page.point(lambda shade: 255 * (shade > 128), "1") if mode == "1" else page.convert(mode)


def grained(page: Image.Image, strength: float = 6) -> Image.Image:
    """With the grain that a scanner sees, which no compression likes."""
    grain = Image.effect_noise(page.size, strength)
    bands = [Image.blend(band, grain, 0.08) for band in page.split()]
    return Image.merge(page.mode, bands)


def photo(pixels: float = 12e6) -> Image.Image:
    """A sheet on a table, taken by a phone."""
    height = round((pixels * 4 / 3) ** 0.5)
    scene = (
        Image.effect_noise((height * 3 // 4, height), 30).convert("RGB").filter(ImageFilter.GaussianBlur(2))
    )
    sheet = printed(150, "RGB").resize((scene.width * 8 // 10, scene.height * 8 // 10))
    scene.paste(sheet.rotate(0), (scene.width // 10, scene.height // 10))
    return scene


def receipt() -> Image.Image:
    """80 mm wide and a metre long, at 203 dots per inch."""
    page = Image.new("L", (640, 8000), 250)
    pen, chance, font = ImageDraw.Draw(page), random.Random(7), ImageFont.load_default(26)
    for row in range(40, 7960, 34):
        pen.text((30, row), f"{chance.choice(_WORDS)} {chance.choice(_WORDS)}", 20, font)
        pen.text((520, row), f"{chance.uniform(1, 90):.2f}", 20, font)
    return page


def saved(page: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    page.save(stream, kind, **options)
    return stream.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "A4 300 dpi colour JPEG": lambda: saved(grained(printed(300, "RGB")), "JPEG", quality=85),
    "A4 300 dpi grey JPEG": lambda: saved(grained(printed(300)), "JPEG", quality=85),
    "A4 300 dpi colour PNG": lambda: saved(grained(printed(300, "RGB")), "PNG"),
    "A4 300 dpi bilevel PNG": lambda: saved(printed(300, "1"), "PNG"),
    "A4 300 dpi fax TIFF (G4)": lambda: saved(printed(300, "1"), "TIFF", compression="group4"),
    "A4 300 dpi grey TIFF (LZW)": lambda: saved(printed(300), "TIFF", compression="tiff_lzw"),
    "A4 150 dpi colour JPEG": lambda: saved(grained(printed(150, "RGB")), "JPEG", quality=85),
    "phone photo 12 MP JPEG": lambda: saved(photo(), "JPEG", quality=88),
    "phone photo 12 MP HEIC": lambda: saved(photo(), "HEIF", quality=60),
    "PDF, scan of 300 dpi": lambda: saved(grained(printed(300)), "PDF", resolution=300, quality=80),
    "PDF, fax scan of 600 dpi": lambda: saved(printed(600, "1"), "PDF", resolution=600),
}
"""By their names, the bytes of a scan of one page."""
