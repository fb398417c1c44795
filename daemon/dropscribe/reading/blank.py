"""Whether a page certainly has nothing on it, so that no model is asked to invent a text for it.

A page counts as blank only when no place of it stands out from the grain of its own paper, in any colour. What
cannot be told from faint writing is not blank: print of the other side that shines through, a punched hole, the
edge of a sheet that lies askew. Asking a model for nothing costs seconds, not asking would lose a text. Writing
less than 6 of 255 shades from its paper is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import ImageChops, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    Box = tuple[int, int, int, int]

_HALVED_FROM = 2_000_000  # pixels: half the grain goes, and print of 6 points still has strokes
_SURROUNDINGS = 8  # pixels each way: shadows and folds are wider, strokes are narrower
_NEIGHBOURS = 7  # pixels each way: about one letter

_LEAST_GRAIN = 1.5  # shades: JPEG smooths most of the grain away and leaves squares of it
_MOST_GRAIN = 2.2  # shades: on rougher paper, pencil and grain were measured to look alike
_CALM = 0.9  # of the pixels tell the grain: even a page full of pencil leaves that many alone
_CALM_MEAN = 0.66  # mean of the calmest 90 % of normal noise, in standard deviations

_STANDS_OUT = (2.5, 5.0)  # times the grain: from here a pixel counts a little, from there it counts whole
_PIXELS = 7.0
"""Whole pixels near each other that are a mark. Measured: a grey 1 of 8 points has 8 or more, dust has 1 to 4;
the grain of blank paper stays below on three of four noisy scans."""

_DARK = 0.55  # of the shade of the paper: the lid of a scanner seen beside the sheet
_DARK_PAPER = 110  # shade: white on black has no dark borders
_EVEN = 40  # shades: a row of such a border holds nothing
_BORDER = 0.1  # of a side: more of the dark is no border
_BLUR = 3  # pixels in which a border fades into the paper
_RINGING = 8  # pixels of a border that JPEG makes restless beside the paper


def is_blank(image: Image.Image) -> bool:
    """Whether `image`, an upright flattened page (L or RGB), certainly has nothing on it."""
    small = image.reduce(2) if image.width * image.height >= _HALVED_FROM else image
    return all(
        _is_empty(channel) for box in _pieces(small.convert("L")) for channel in small.crop(box).split()
    )


def _is_empty(channel: Image.Image) -> bool:
    away = ImageChops.difference(channel, channel.filter(ImageFilter.BoxBlur(_SURROUNDINGS)))
    grain = _grain(away.histogram())
    if grain > _MOST_GRAIN:
        return False
    counted = away.point(_weights(max(grain, _LEAST_GRAIN)))
    _, most = counted.filter(ImageFilter.BoxBlur(_NEIGHBOURS)).getextrema()
    return float(most) * (2 * _NEIGHBOURS + 1) ** 2 / 255 < _PIXELS  # type: ignore[arg-type]


def _grain(counts: Sequence[int]) -> float:
    """The standard deviation of the paper in shades, from how many pixels lie how far from their surroundings."""
    left = calm = round(_CALM * sum(counts))
    total = 0
    for shades, count in enumerate(counts):
        total += shades * min(left, count)
        left -= min(left, count)
    return total / max(1, calm) / _CALM_MEAN


def _weights(grain: float) -> list[int]:
    low, high = (times * grain for times in _STANDS_OUT)
    return [round(255 * min(1.0, max(0.0, (shades - low) / (high - low)))) for shades in range(256)]


def _pieces(grey: Image.Image) -> list[Box]:
    """The paper and the dark even borders beside it: each is judged alone, only the edge between them is not."""
    width, height = grey.size
    paper = _median(grey.histogram())
    if paper < _DARK_PAPER:
        return [(0, 0, width, height)]
    left = _border([(x, 0, x + 1, height) for x in range(width)], grey, paper)
    right = _border([(x, 0, x + 1, height) for x in reversed(range(width))], grey, paper)
    across = left + (_BLUR if left else 0), width - right - (_BLUR if right else 0)
    top = _border([(across[0], y, across[1], y + 1) for y in range(height)], grey, paper)
    bottom = _border([(across[0], y, across[1], y + 1) for y in reversed(range(height))], grey, paper)
    down = top + (_BLUR if top else 0), height - bottom - (_BLUR if bottom else 0)
    borders = [
        (0, 0, left - _RINGING, height),
        (width - right + _RINGING, 0, width, height),
        (across[0], 0, across[1], top - _RINGING),
        (across[0], height - bottom + _RINGING, across[1], height),
    ]
    inner = (across[0], down[0], across[1], down[1])
    return [box for box in (inner, *borders) if box[0] < box[2] and box[1] < box[3]]


def _border(lines: Sequence[Box], grey: Image.Image, paper: int) -> int:
    """How many of `lines`, from the outside, are border; none when it does not end soon."""
    for count, box in enumerate(lines[: int(_BORDER * len(lines))]):
        low, high = grey.crop(box).getextrema()
        if high > _DARK * paper or high - low > _EVEN:  # type: ignore[operator]
            return count
    return 0


def _median(counts: Sequence[int]) -> int:
    half, seen = sum(counts) / 2, 0
    for shade, count in enumerate(counts):
        seen += count
        if seen >= half:
            return shade
    return 0
