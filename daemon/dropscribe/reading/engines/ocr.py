"""The embedded engine: RapidOCR reads print on this machine, without a server and without a network."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable
from dropscribe.prompts import NO_TEXT
from dropscribe.reading.engines import ModelState
from dropscribe.reading.engines.layout import straightened, text_of
from dropscribe.values import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropscribe.reading.engines.layout import Quad
    from dropscribe.stop import Stop
    from dropscribe.values import Picture, Recipe

PIXELS = 2_000_000
"""A4 at 144 dpi, where print of 5 points still reads. Measured: with 1.4 million it does not, and real pages
read a little worse; the memory needed is 0.9 to 1.0 GB with either."""

LEAST_CONFIDENCE = 0.5
"""Of a line. Measured on printed pages: what lies below are specks and rules taken for letters."""

_SURE = 0.93
"""Mean confidence above which a page certainly is not upside down."""

_INSTALL = "`pip install 'dropscribe[ocr]'`"


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


class OcrEngine:
    """RapidOCR with the models of its own package; it has one model and takes no notice of the recipe's.

    A stop is seen before and between the readings of a picture: onnxruntime cannot be interrupted in one,
    which takes a few seconds.
    """

    name = "ocr"
    host = "embedded"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: ModelState | None = None
        self._reader: Callable[..., Any] | None = None

    def close(self) -> None:
        self._reader = None

    def check(self, model: str, *, stop: Stop) -> ModelState:
        if self._state is None:
            digest = hashlib.sha256(b"".join(path.read_bytes() for path in _models()))
            self._state = ModelState(digest.hexdigest(), metadata.version("rapidocr"))
        return self._state

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        stop.check()
        state = self.check(recipe.model, stop=stop)
        reader = self._ready()
        began = time.monotonic()
        reading = _upright(_fitting(picture), reader, stop)
        text = text_of(straightened(line for line in reading.lines if line[2] >= LEAST_CONFIDENCE))
        return Answer(
            text=text if any(letter.isalnum() for letter in text) else NO_TEXT,
            done=True,
            done_reason="stop",
            model=f"rapidocr {state.version}",
            model_digest=state.digest,
            host=self.host,
            seconds=time.monotonic() - began,
        )

    def _ready(self) -> Callable[..., Any]:
        with self._lock:
            if self._reader is None:
                self._reader = _load()
            return self._reader


def _models() -> tuple[Path, Path]:
    """The files that find lines and read them; raises Misconfigured."""
    package = find_spec("rapidocr")
    if package is None or not package.submodule_search_locations or find_spec("onnxruntime") is None:
        raise Misconfigured("the embedded engine is not installed", f"run {_INSTALL}")
    folder = Path(package.submodule_search_locations[0]) / "models"
    found = [sorted(folder.glob(f"*_{task}_*.onnx")) for task in ("det", "rec")]
    if not all(found):
        raise Misconfigured(f"the installed rapidocr has no models in {folder}", f"run {_INSTALL} again")
    return found[0][-1], found[1][-1]


def _load() -> Callable[..., Any]:
    finder, reader = _models()
    try:
        import onnxruntime  # noqa: PLC0415  an extra, and slow to import
        from rapidocr import RapidOCR  # noqa: PLC0415
    except ImportError as error:
        raise Misconfigured(
            f"the embedded engine does not start: {error}", f"run {_INSTALL} again"
        ) from error
    onnxruntime.set_default_logger_severity(4)
    settings = {
        # What has a path is never downloaded; without one, rapidocr fetches the models that it misses.
        "Det.model_path": str(finder),
        "Rec.model_path": str(reader),
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


def _fitting(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(picture.data)).convert("RGB")
    scale = sqrt(PIXELS / (image.width * image.height))
    if scale >= 1:
        return image
    sides = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(sides, Image.Resampling.LANCZOS)


def _upright(image: Image.Image, reader: Callable[..., Any], stop: Stop) -> _Reading:
    """The best of the positions worth trying. Measured: 18 pages in 4 positions, 72 of 72 right."""
    first = _read(image, reader)
    readings, turns = [first], []
    if first.lies_on_its_side:
        # The library turns single lines, so they may read well, but the order of the lines is lost.
        readings, turns = [], [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270]
    elif first.lines and first.confidence < _SURE:
        turns = [Image.Transpose.ROTATE_180]
    for turn in turns:
        stop.check()
        readings.append(_read(image.transpose(turn), reader))
    return max(readings, key=lambda reading: reading.worth)


def _read(image: Image.Image, reader: Callable[..., Any]) -> _Reading:
    import numpy as np  # noqa: PLC0415  comes with rapidocr

    try:
        found = reader(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))  # OpenCV counts blue first
    except MemoryError as error:
        raise Unavailable("there is not enough memory to read the picture", suspect=True) from error
    except Exception as error:  # the library names no common root for what it raises
        raise BadAnswer("not done", f"the embedded engine gave up: {_last_line(error)}") from error
    if found.txts is None or found.boxes is None:
        return _Reading(())
    quads = [tuple((float(x), float(y)) for x, y in quad) for quad in found.boxes]
    return _Reading(tuple(zip(quads, found.txts, map(float, found.scores), strict=True)))


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _width(quad: Quad) -> float:
    return max(x for x, _ in quad) - min(x for x, _ in quad)


def _height(quad: Quad) -> float:
    return max(y for _, y in quad) - min(y for _, y in quad)
