"""Paper and desks for drawing scans on: lines of text, rules, the grain of a sensor."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    Ink = tuple[int, int, int]

BLACK, GREY, PALE = (34, 34, 38), (120, 120, 124), (196, 200, 208)
BLUE, RED = (32, 62, 110), (150, 44, 40)


class Sheet:
    """A sheet of paper that is written on from top to bottom; `at` is how far down the next line begins."""

    def __init__(self, width: int, height: int, paper: Ink, margin: int) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.pen = ImageDraw.Draw(self.image)
        self.left, self.right, self.at = margin, width - margin, margin

    def line(
        self, text: str, size: int, *, ink: Ink = BLACK, align: str = "left", bold: bool = False
    ) -> None:
        x, anchor = {
            "left": (self.left, "la"),
            "right": (self.right, "ra"),
            "middle": ((self.left + self.right) // 2, "ma"),
        }[align]
        self._write((x, self.at), text, size, ink, anchor, bold=bold)
        self.at += round(size * 1.45)

    def paragraph(self, text: str, size: int) -> None:
        font, line = ImageFont.load_default(size), ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if font.getlength(longer) > self.right - self.left:
                self.line(line, size)
                longer = word
            line = longer
        self.line(line, size)

    def row(
        self, cells: Sequence[str], stops: Sequence[int], size: int, *, ink: Ink = BLACK, bold: bool = False
    ) -> None:
        """Cells at tabulator stops, the first one flush left and the others flush right."""
        for number, (cell, x) in enumerate(zip(cells, stops, strict=True)):
            self._write((x, self.at), cell, size, ink, "ra" if number else "la", bold=bold)
        self.at += round(size * 1.45)

    def rule(self, ink: Ink = GREY, width: int = 2) -> None:
        self.pen.line((self.left, self.at, self.right, self.at), ink, width)
        self.at += width

    def skip(self, pixels: int) -> None:
        self.at += pixels

    def _write(self, at: tuple[int, int], text: str, size: int, ink: Ink, anchor: str, *, bold: bool) -> None:
        # Pillow carries one font in one weight
        weight = size / 60 if bold else 0
        self.pen.text(at, text, ink, ImageFont.load_default(size), anchor, stroke_width=weight)


def wood(width: int, height: int) -> Image.Image:
    """The top of a desk, the same in every run; pixels."""
    grain = Image.frombytes("L", (6, height // 4), Random(4).randbytes(6 * (height // 4)))  # noqa: S311
    grain = grain.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    shades = [
        [base + level * spread // 255 for level in range(256)]
        for base, spread in ((104, 44), (70, 34), (44, 24))
    ]
    return Image.merge("RGB", [grain.point(shade) for shade in shades])


def grain(image: Image.Image, strength: int) -> Image.Image:
    """The noise of a sensor, the same in every run."""
    count = image.width * image.height
    noise = Image.frombytes("L", image.size, Random(7).randbytes(count))  # noqa: S311
    noise = noise.filter(ImageFilter.GaussianBlur(0.8)).point(
        [level * strength // 100 for level in range(256)]
    )
    return ImageChops.subtract(image, Image.merge("RGB", (noise, noise, noise)))


def png(image: Image.Image) -> bytes:
    """As a scanner without losses saves it."""
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def jpeg(image: Image.Image, *, quality: int, exif: bytes = b"") -> bytes:
    """As a scanner or a phone saves it; `quality` from 1 to 95."""
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality, exif=exif)
    return stream.getvalue()
