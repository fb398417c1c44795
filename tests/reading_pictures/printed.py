"""Pages as a scanner gives them, drawn: paper with grain and shadow, print of any size and shade."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops, ImageDraw, ImageFont

A4 = (1240, 1754)
LINES = [
    "It was late when we came to the old mill, and",
    "nobody had lit the lamps in the yard; so we",
    "waited under the chestnut trees until the rain",
    "was over and the miller's daughter came out",
    "with a lantern. She knew the way, she said,",
    "and 47 steps further on we saw it ourselves.",
]


def paper(size=A4, *, shade=240, grain=0.0, shadow=0):
    """Grey paper; `shadow` darkens it towards the left as the spine of a book does."""
    image = Image.new("L", size, shade)
    if shadow:
        depth = [shade - round(shadow * (1 - x / 255) ** 3) for x in range(256)]
        image = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size).point(depth)
    if grain:
        image = ImageChops.add(image, Image.effect_noise(size, grain), 1, -128)
    return image


def with_words(image, words, at, *, height=30, darker=200):
    """`image` with `words` printed on it, `darker` than the paper by so many shades, or lighter."""
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).text(at, words, 255, ImageFont.load_default(height))
    ink = mask.point([round(shade * abs(darker) / 255) for shade in range(256)])
    return ImageChops.subtract(image, ink) if darker > 0 else ImageChops.add(image, ink)


def full_page(size=A4, *, height=30, pitch=48, darker=200, shade=240, grain=0.0):
    """A page of lines from top to bottom."""
    image = paper(size, shade=shade, grain=grain)
    mask = Image.new("L", size, 0)
    for number, y in enumerate(range(120, size[1] - 140, pitch)):
        ImageDraw.Draw(mask).text((120, y), LINES[number % len(LINES)], 255, ImageFont.load_default(height))
    return ImageChops.subtract(image, mask.point([round(s * darker / 255) for s in range(256)]))


def as_jpeg(image, quality=80):
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(BytesIO(stream.getvalue()))
