"""How far a page was laid askew, and the page with its lines level."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from PIL import Image, ImageChops, ImageFilter

LEAST = 0.3
"""Degrees below which turning costs more sharpness than it gains."""

_MOST = 9.5  # degrees: beyond that, a page lies as somebody meant it
_COARSE, _FINE = 0.5, 0.1
_SIDE = 640  # pixels of the copy: a line of a full page still has rows of its own
_STROKE = 7  # pixels of the copy: what is thicker is a picture or a border, and says nothing of lines
_INK = 40  # shades darker than the surroundings
_CLEAR = 4.0
"""How much sharper the lines stand at the best angle than at most. Measured: print has 13 and more, a letter in
cursive 8; photographs, maps and pages that lie on their side have 1 to 4."""


def skew_of(image: Image.Image) -> float:
    """Degrees, counted as `Image.rotate` counts them, by which to turn the page to make its lines level.

    0.0 when that is little, more than a sheet slips in a scanner, or not clear.
    """
    ink = _ink(image)
    angles = [step * _COARSE for step in range(round(-_MOST / _COARSE), round(_MOST / _COARSE) + 1)]
    sharpness = {angle: _sharpness(ink, angle) for angle in angles}
    best = max(angles, key=sharpness.__getitem__)
    if abs(best) == _MOST or sharpness[best] < _CLEAR * median(sharpness.values()):
        return 0.0
    near = [best + step * _FINE for step in range(-round(_COARSE / _FINE), round(_COARSE / _FINE) + 1)]
    angle = max(near, key=lambda angle: _sharpness(ink, angle))
    return round(angle, 1) if abs(angle) >= LEAST else 0.0


def levelled(image: Image.Image) -> Image.Image:
    """`image` turned by its skew, larger by the corners that this moves outwards; itself when it is level."""
    angle = skew_of(image)
    if not angle:
        return image
    white = 255 if image.mode == "L" else (255, 255, 255)
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=white)


def _ink(image: Image.Image) -> Image.Image:
    """Thin dark strokes, white on black, in a small copy."""
    grey = image.convert("L")
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    closed = grey.filter(ImageFilter.MaxFilter(_STROKE)).filter(ImageFilter.MinFilter(_STROKE))
    return ImageChops.subtract(closed, grey).point([0] * _INK + [255] * (256 - _INK))


def _sharpness(ink: Image.Image, angle: float) -> float:
    """How much the ink in each row differs from that in the next once the lines are sheared by `angle`."""
    width, height = ink.size
    slope = math.tan(math.radians(angle))
    level = ink.transform(
        ink.size, Image.Transform.AFFINE, (1, 0, 0, slope, 1, -slope * width / 2), Image.Resampling.NEAREST
    )
    rows = level.resize((1, height), Image.Resampling.BOX).tobytes()
    return sum((above - below) ** 2 for above, below in pairwise(rows))
