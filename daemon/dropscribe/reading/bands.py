"""A page that one small picture cannot hold is cut into horizontal bands, where nothing is written if possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from operator import sub
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropscribe.values import Size

MOST = 8
"""Bands a page is cut into at most: each is a request."""

LEGIBLE_PIXELS = 1_200_000
"""Of a page: A4 at 110 dots per inch. Measured: the embedded engine reads print in a third of that; what models
need is not measured here, they see squares of 28 to 48 pixels."""

LEGIBLE_WIDTH = 560
"""Pixels of a receipt, however long it is: forty letters of 14 pixels."""

LONG = 4.0
"""Times as high as wide: no sheet of paper, but a receipt."""

_NEARLY = 0.9  # of that is legible too, and half the requests
_OVERLAP = 0.09  # of a band's height: two lines of A4 cut in two, so each line is whole in one of the bands
_REACH = 0.25  # of a band's height, from the ideal place up or down: an empty row is looked for that far
_COLUMNS = 32  # pieces of a row, each judged alone: a short word would vanish in the mean of a row
_INK = 3  # shades of a piece's mean
_GAP = 3  # rows at least: less may be the space inside a letter


@dataclass(frozen=True, slots=True)
class Band:
    """The rows from `top` up to `bottom`; the first `overlap` of them are in the band before as well."""

    top: int
    bottom: int
    overlap: int


def how_many(width: int, height: int, size: Size, *, dense: bool) -> int:
    """Into how many bands a page of these sides is best cut for a model that makes use of `size`; mostly 1.

    Unless `dense` pages are to be cut too, only very long ones are. Measured with the embedded engine: a receipt
    of 1 : 12 goes from nothing to every word, while A4 gains nothing, and loses the order of its columns.
    """
    if not dense and height < LONG * width:
        return 1
    needed = LEGIBLE_WIDTH / width
    if dense:
        needed = max(math.sqrt(LEGIBLE_PIXELS / (width * height)), needed)
    needed = min(1.0, needed)
    scales = [band_scale(width, height, count, size) for count in range(1, MOST + 1)]
    enough = _NEARLY * min(needed, max(scales))
    return next(count for count, scale in enumerate(scales, 1) if scale >= enough)


def bands(image: Image.Image, count: int) -> tuple[Band, ...]:
    """`image`, a page, in at most `count` bands that cover all its rows in order."""
    height = image.height
    count = max(1, min(count, MOST, height // (4 * _GAP)))
    step = height / count
    gaps = _gaps(_ink_by_row(image)) if count > 1 else ()
    cuts = [_cut(round(number * step), round(_REACH * step), gaps) for number in range(1, count)]
    shared = round(_OVERLAP * step)
    tops = [(0, 0)] + [(row, 0) if clean else (row - shared // 2, shared) for row, clean in cuts]
    bottoms = [row if clean else row - shared // 2 + shared for row, clean in cuts] + [height]
    return tuple(Band(top, bottom, overlap) for (top, overlap), bottom in zip(tops, bottoms, strict=True))


def band_scale(width: int, height: int, count: int, size: Size) -> float:
    """How much a band is shrunk to fit; with what it may share with its neighbour."""
    tall = height / count * (1 + _OVERLAP if count > 1 else 1)
    return min(1.0, size.side / max(width, tall), math.sqrt(size.pixels / (width * tall)))


def _cut(ideal: int, reach: int, gaps: Sequence[tuple[int, int]]) -> tuple[int, bool]:
    """The row to cut at, and whether nothing is cut: the widest gap in reach, of equals the nearest."""
    worth = {}
    for start, stop in gaps:
        row = min(max(ideal, start + _GAP // 2 + 1), stop - _GAP // 2 - 1)
        off = abs(row - ideal)
        if off <= reach:
            worth[row] = min(stop - start, reach) - off / 4
    if not worth:
        return ideal, False
    return max(worth, key=worth.__getitem__), True


def _gaps(ink: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Where rows without ink run, as (first, one after the last)."""
    least = min(ink) + _INK
    written = [-1, *(row for row, shades in enumerate(ink) if shades > least), len(ink)]
    return tuple((above + 1, below) for above, below in pairwise(written) if below - above - 1 >= _GAP)


def _ink_by_row(image: Image.Image) -> list[int]:
    """How much each row differs from its surroundings where it does most; what runs all the way down is none."""
    grey = image.convert("L")
    edges = ImageChops.difference(grey, grey.filter(ImageFilter.BoxBlur(4)))
    pieces = edges.resize((_COLUMNS, image.height), Image.Resampling.BOX).tobytes()
    columns = [pieces[at::_COLUMNS] for at in range(_COLUMNS)]
    least = [min(column) for column in columns]
    return [max(map(sub, row, least)) for row in zip(*columns, strict=True)]
