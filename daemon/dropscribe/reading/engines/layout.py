"""Boxes of text become one text in reading order: columns one after another, table rows whole; pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Point = tuple[float, float]
    Quad = Sequence[Point]

CELL = "  "
"""Between the cells of a row; a tab would mean code in Markdown, where a row starts with an empty cell."""


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """One piece of text, at most a line; y runs down the page."""

    y0: float
    x0: float
    y1: float
    x1: float
    text: str
    confidence: float = 1.0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


@dataclass(frozen=True, slots=True)
class _Columns:
    """Two neighbours, each from top to bottom; `depth` is how far down they run side by side."""

    depth: float
    left: list[Box]
    right: list[Box]


def straightened(pieces: Iterable[tuple[Quad, str, float]]) -> tuple[Box, ...]:
    """Boxes from corners (from top left, clockwise), text and confidence, as if the page lay straight."""
    pieces = list(pieces)
    slope = _slope([quad for quad, _, _ in pieces])
    return tuple(_box(quad, text, confidence, slope) for quad, text, confidence in pieces)


def text_of(boxes: Sequence[Box]) -> str:
    """All texts, each once, in reading order: one line a row, a blank line between paragraphs and columns.

    The order of `boxes` does not matter.
    """
    return "\n\n".join(_paragraphs(block) for block in _blocks(sorted(boxes)))


def _slope(quads: Sequence[Quad]) -> float:
    """The angle of the lines in radians, the median of the long ones: short ones tell little."""
    angles = []
    for (ax, ay), (bx, by), _, (dx, dy) in quads:
        if math.hypot(bx - ax, by - ay) > 3 * math.hypot(dx - ax, dy - ay):
            angles.append(math.atan2(by - ay, bx - ax))
    return median(angles) if angles else 0.0


def _box(quad: Quad, text: str, confidence: float, slope: float) -> Box:
    (ax, ay), (bx, by), _, (dx, dy) = quad
    cos, sin = math.cos(slope), math.sin(slope)
    x, y = fmean(x for x, _ in quad), fmean(y for _, y in quad)
    x, y = x * cos + y * sin, y * cos - x * sin
    along, down = math.hypot(bx - ax, by - ay) / 2, math.hypot(dx - ax, dy - ay) / 2
    return Box(y - down, x - along, y + down, x + along, text, confidence)


def _blocks(boxes: list[Box]) -> list[list[Box]]:
    columns = max(_columns(boxes), key=lambda columns: columns.depth, default=None)
    if columns is None:
        return [boxes] if boxes else []
    left, right = _core(columns.left, columns.right), _core(columns.right, columns.left)
    start = min(left[0].middle, right[0].middle)
    taken = {*left, *right}
    rest = [box for box in boxes if box not in taken]
    above = [box for box in rest if box.middle < start]
    below = [box for box in rest if box.middle >= start]
    return [block for part in (above, sorted(left), sorted(right), below) for block in _blocks(part)]


def _columns(boxes: list[Box]) -> Iterable[_Columns]:
    """What stands on both sides of each strip of empty paper that no box crosses from top to bottom."""
    width = 0.6 * median(box.height for box in boxes) if boxes else 0.0
    downwards = sorted(boxes, key=lambda box: (box.middle, box))
    for x in sorted({box.x1 for box in boxes}):
        lefts = [box for box in downwards if box.x1 <= x]
        rights = [box for box in downwards if box.x0 >= x + width and box.x1 > x]
        crossing = [box for box in boxes if box.x0 < x + width and box.x1 > x]
        for top, bottom in _gaps(crossing):
            left, right = _between(lefts, top, bottom), _between(rights, top, bottom)
            depth = _side_by_side(left, right)
            if depth > 0 and _is_prose(left) and _is_prose(right):
                yield _Columns(depth, left, right)


def _gaps(crossing: list[Box]) -> Iterable[tuple[float, float]]:
    top = -math.inf
    for box in crossing:
        if box.y0 > top:
            yield top, box.y0
        top = max(top, box.y1)
    yield top, math.inf


def _between(downwards: list[Box], top: float, bottom: float) -> list[Box]:
    first = bisect_left(downwards, top, key=lambda box: box.middle)
    return downwards[first : bisect_right(downwards, bottom, key=lambda box: box.middle)]


def _side_by_side(left: list[Box], right: list[Box]) -> float:
    if min(len(left), len(right)) < 3:
        return 0.0
    return min(left[-1].y1, right[-1].y1) - max(left[0].y0, right[0].y0)


def _is_prose(column: list[Box]) -> bool:
    """Long lines of words; the cells of a table are short or full of figures."""
    digits = sum(letter.isdigit() for box in column for letter in box.text)
    return median(len(box.text) for box in column) >= 14 and digits < 0.3 * sum(len(b.text) for b in column)


def _core(column: list[Box], other: list[Box]) -> list[Box]:
    """Without a lone line over or under both columns: a heading of the page, or of what comes next."""
    first, second, before, last = column[0], column[1], column[-2], column[-1]
    start = int(first.y1 <= other[0].y0 and second.y0 - first.y1 > 0.5 * first.height)
    stop = int(last.y0 >= other[-1].y1 and last.y0 - before.y1 > 0.5 * last.height)
    return column[start : len(column) - stop]


def _paragraphs(block: list[Box]) -> str:
    rows = _rows(block)
    height = median(box.height for box in block)
    pitches = [_middle(below) - _middle(above) for above, below in pairwise(rows)]
    usual = median(pitches) if len(pitches) > 2 else 1.3 * height
    text = _line(rows[0])
    for pitch, row in zip(pitches, rows[1:], strict=True):
        text += ("\n\n" if pitch > 1.3 * usual else "\n") + _line(row)
    return text


def _rows(block: list[Box]) -> list[list[Box]]:
    rows: list[list[Box]] = []
    for box in sorted(block, key=lambda box: (box.middle, box)):
        if rows and box.middle - _middle(rows[-1]) < 0.5 * min(box.height, rows[-1][-1].height):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: (box.x0, box)) for row in rows]


def _middle(row: list[Box]) -> float:
    return fmean(box.middle for box in row)


def _line(row: list[Box]) -> str:
    line = row[0].text
    for before, box in pairwise(row):
        line += (CELL if box.x0 - before.x1 > 0.8 * box.height else " ") + box.text
    return line
