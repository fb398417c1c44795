"""The process that reads print: RapidOCR on one picture after another, in whatever position it stands."""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass
from io import BytesIO
from math import sqrt
from typing import TYPE_CHECKING, Any

from PIL import Image

from dropscribe.reading import process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dropscribe.reading.engines.layout import Quad
    from dropscribe.reading.process import Reply

PIXELS = 2_000_000
"""A4 at 144 dpi, where print of 5 points still reads. Measured: with 1.4 million it does not, and real pages
read a little worse."""

_SURE = 0.93
"""Mean confidence above which a page certainly is not upside down."""

_COARSE = 4  # pixels to one, where ink is looked for
_INK = 12  # shades off the paper
_COLUMNS = 64  # of a row, each judged alone: a short word would vanish in the mean of a row
_STRIP = 160  # pixels: so high is an empty strip that parts a page, a dozen lines of print
_MARGIN = 48  # pixels around what is written

_CLOCKWISE = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}

MEMORY = 4_000_000_000
"""Bytes of address space; real pages need 0.6 to 0.7 GB of memory."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read of a picture in one position: corners, text and confidence of each line."""

    lines: tuple[tuple[Quad, str, float], ...]

    @property
    def letters(self) -> int:
        return sum(len(text) for _, text, _ in self.lines)

    @property
    def confidence(self) -> float:
        return sum(len(text) * sure for _, text, sure in self.lines) / max(1, self.letters)

    @property
    def worth(self) -> float:
        return float(self.letters * self.confidence**4)

    @property
    def lies_on_its_side(self) -> bool:
        upended = sum(_height(quad) > 1.5 * _width(quad) for quad, _, _ in self.lines)
        return upended > len(self.lines) / 2


class Reader:
    """Reads what requests bring: the paths of the models in the head, the picture behind it."""

    def __init__(self) -> None:
        self._reader: Callable[..., Any] | None = None

    def work(self, request: Mapping[str, Any], data: bytes) -> Reply:
        """`lines` with corners, text and confidence, and by how many degrees clockwise the picture was `turn`ed.

        In place of these `failure` says in words what kept it from reading: "start", "memory" or "picture".
        """
        try:
            if self._reader is None:
                self._reader = _load(request["finder"], request["reader"])
        except ImportError as error:
            return {"failure": "start", "reason": str(error)}, ()
        try:
            turn, reading = _upright(_fitting(data), self._reader)
        except MemoryError:
            return {"failure": "memory", "reason": ""}, ()
        except Exception:  # noqa: BLE001 - the library names no common root for what it raises
            return {"failure": "picture", "reason": traceback.format_exc()[-4000:]}, ()
        return {"turn": turn, "lines": reading.lines}, ()


def _load(finder: str, reader: str) -> Callable[..., Any]:
    """Raises ImportError."""
    import onnxruntime  # noqa: PLC0415  an extra, and slow to import
    from rapidocr import RapidOCR  # noqa: PLC0415

    onnxruntime.set_default_logger_severity(4)
    settings = {
        # What has a path is never downloaded; without one, rapidocr fetches the models that it misses.
        "Det.model_path": finder,
        "Rec.model_path": reader,
        # It turned good lines upside down on 5 of 30 pages; whole pages are turned here instead.
        "Global.use_cls": False,
        "Global.text_score": 0.0,
        "Global.max_side_len": 100_000,
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": _cores(),
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    ready: Callable[..., Any] = RapidOCR(params=settings)
    return ready


def _cores() -> int:
    """Those that this process may use; beyond eight, a page of small pieces reads no faster."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(own, 8)


def _fitting(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data)).convert("RGB")
    scale = sqrt(PIXELS / (image.width * image.height))
    if scale >= 1:
        return image
    sides = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(sides, Image.Resampling.LANCZOS)


def _upright(image: Image.Image, reader: Callable[..., Any]) -> tuple[int, _Reading]:
    """The best of the positions worth trying. Measured: 18 pages in 4 positions, 72 of 72 right."""
    first = _read(image, reader)
    readings = {0: first}
    turns: tuple[int, ...] = ()
    if first.lies_on_its_side:
        # The library turns single lines, so they may read well, but the order of the lines is lost.
        readings, turns = {}, (90, 270)
    elif first.lines and first.confidence < _SURE:
        turns = (180,)
    for turn in turns:
        readings[turn] = _read(image.transpose(_CLOCKWISE[turn]), reader)
    best = max(readings, key=lambda turn: readings[turn].worth)
    return best, readings[best]


def _read(image: Image.Image, reader: Callable[..., Any]) -> _Reading:
    """Each written part of the page by itself. Measured: of 23 lines on 16 pages with little else than white the
    library finds 11 when it sees whole pages, and all of them so; full pages are one part.
    """
    lines: list[tuple[Quad, str, float]] = []
    for left, top, right, bottom in _parts(image):
        lines += [
            (tuple((x + left, y + top) for x, y in quad), text, sure)
            for quad, text, sure in _lines(image.crop((left, top, right, bottom)), reader)
        ]
    return _Reading(tuple(lines))


def _lines(image: Image.Image, reader: Callable[..., Any]) -> Iterator[tuple[Quad, str, float]]:
    import numpy as np  # noqa: PLC0415  comes with rapidocr

    found = reader(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))  # OpenCV counts blue first
    if found.txts is None or found.boxes is None:
        return
    for quad, text, sure in zip(found.boxes, found.txts, found.scores, strict=True):
        yield tuple((float(x), float(y)) for x, y in quad), text, float(sure)


def _parts(image: Image.Image) -> list[tuple[int, int, int, int]]:
    """Boxes around what is written, where wide empty strips part it; the whole picture where all of it is."""
    small = image.convert("L").reduce(_COARSE)
    shades = small.histogram()
    paper = shades.index(max(shades))
    ink = small.point([255 * (abs(shade - paper) > _INK) for shade in range(256)])
    columns = min(_COLUMNS, ink.width)
    rows = ink.resize((columns, ink.height), Image.Resampling.BOX).tobytes()
    written = [row for row in range(ink.height) if any(rows[row * columns : (row + 1) * columns])]
    strips: list[list[int]] = []
    for row in written:
        if strips and row - strips[-1][1] <= _STRIP // _COARSE:
            strips[-1][1] = row
        else:
            strips.append([row, row])
    boxes = [_around(ink, top, bottom, image.size) for top, bottom in strips]
    return boxes or [(0, 0, *image.size)]


def _around(ink: Image.Image, top: int, bottom: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    left, _, right, _ = ink.crop((0, top, ink.width, bottom + 1)).getbbox() or (0, 0, ink.width, 0)
    return (
        max(0, left * _COARSE - _MARGIN),
        max(0, top * _COARSE - _MARGIN),
        min(size[0], right * _COARSE + _MARGIN),
        min(size[1], (bottom + 1) * _COARSE + _MARGIN),
    )


def _width(quad: Quad) -> float:
    return max(x for x, _ in quad) - min(x for x, _ in quad)


def _height(quad: Quad) -> float:
    return max(y for _, y in quad) - min(y for _, y in quad)


def main(descriptor: int) -> None:
    process.limit_memory(MEMORY, process.memory_reserved())
    process.renounce()
    process.serve(descriptor, Reader().work)


if __name__ == "__main__":
    main(int(sys.argv[1]))
