"""The embedded engine: RapidOCR reads print on this machine, without a server and without a network."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable, world_wrong
from dropscribe.prompts import NO_TEXT
from dropscribe.reading.engines import ModelState
from dropscribe.reading.engines.layout import straightened, text_of
from dropscribe.reading.process import Died, Process, TooSlow
from dropscribe.values import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dropscribe.reading.engines.layout import Quad
    from dropscribe.stop import Stop
    from dropscribe.values import Picture, Recipe

LEAST_CONFIDENCE = 0.5
"""Of a line. Measured on printed pages: what lies below are specks and rules taken for letters."""

SECONDS = 300.0
"""For one picture in all its positions: a hundred times what it takes on two cores."""

_NICE = 10
"""Of a reader in the background: the model may run on the same cores."""

_MODULE = "dropscribe.reading.ocr_worker"
_INSTALL = "`pip install 'dropscribe[ocr]'` (in a clone: `pip install '.[ocr]'`)"


@dataclass(frozen=True, slots=True)
class PrintRead:
    """What was read of a picture: corners, text and confidence of each line, after turning it clockwise by `turn`."""

    lines: tuple[tuple[Quad, str, float], ...]
    turn: int


class PrintReader:
    """RapidOCR in a process of its own, started when first needed and used by one thread at a time."""

    def __init__(self, *, background: bool = False) -> None:
        """`background`: whatever else runs on this machine goes before it."""
        self._process: Process | None = None
        self._background = background

    @property
    def pid(self) -> int | None:
        """The process that reads, while there is one."""
        return self._process.pid if self._process is not None else None

    def read(self, picture: Picture, *, stop: Stop) -> PrintRead:
        """Raises Misconfigured, Unavailable, BadAnswer, WorldWrong, or Stopped at once."""
        finder, reader = models()
        head = {"finder": str(finder), "reader": str(reader)}
        if self._process is None or not self._process.alive:
            self._process = _started()
            if self._background:
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
        try:
            reply, _ = self._process.ask(head, picture.data, seconds=SECONDS, stop=stop)
        except Died as death:
            raise Unavailable(f"the embedded engine broke down: {death}", suspect=True) from death
        except TooSlow as slow:
            raise BadAnswer("not done", f"the embedded engine took longer than {SECONDS:g} s") from slow
        _check(reply)
        lines = (
            (tuple((float(x), float(y)) for x, y in quad), str(text), float(sure))
            for quad, text, sure in reply["lines"]
        )
        return PrintRead(tuple(lines), int(reply["turn"]))

    def rest(self) -> None:
        """Give the memory back until it is used again."""
        if self._process is not None:
            self._process.close()
            self._process = None


class OcrEngine:
    """RapidOCR with the models of its own package; it has one model and takes no notice of the recipe's."""

    name = "ocr"
    host = "embedded"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: ModelState | None = None
        self._reader = PrintReader()

    def new_scan(self) -> None:
        pass

    def rest(self) -> None:
        self._reader.rest()

    def close(self) -> None:
        self._reader.rest()

    def check(self, model: str, *, stop: Stop) -> ModelState:
        with self._lock:
            if self._state is None:
                digest = hashlib.sha256(b"".join(path.read_bytes() for path in models()))
                self._state = ModelState(digest.hexdigest(), metadata.version("rapidocr"))
            return self._state

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        stop.check()
        state = self.check(recipe.model, stop=stop)
        began = time.monotonic()
        reading = self._reader.read(picture, stop=stop)
        text = text_of(straightened(line for line in reading.lines if line[2] >= LEAST_CONFIDENCE))
        return Answer(
            text=text if any(letter.isalnum() for letter in text) else NO_TEXT,
            done=True,
            done_reason="stop",
            model=f"rapidocr {state.version}",
            model_digest=state.digest,
            host=self.host,
            server=state.version,
            seconds=time.monotonic() - began,
        )


def models() -> tuple[Path, Path]:
    """The files that find lines and read them; raises Misconfigured."""
    package = find_spec("rapidocr")
    if package is None or not package.submodule_search_locations or find_spec("onnxruntime") is None:
        raise Misconfigured("the embedded engine is not installed", f"run {_INSTALL}")
    folder = Path(package.submodule_search_locations[0]) / "models"
    found = [sorted(folder.glob(f"*_{task}_*.onnx")) for task in ("det", "rec")]
    if not all(found):
        raise Misconfigured(f"the installed rapidocr has no models in {folder}", f"run {_INSTALL} again")
    return found[0][-1], found[1][-1]


def _started() -> Process:
    try:
        # Measured on nine pages: 32 s and 0.56 GB; without, 44 s, a third of them spent on empty pages from the
        # system; with memory that is kept instead of given back, 30 s and 1.0 GB.
        return Process(_MODULE, huge_pages=True)
    except OSError as error:
        raise world_wrong(error, "the embedded engine") from error
    except (Died, TooSlow) as error:
        raise Misconfigured(
            f"the embedded engine does not start: {error}", f"run {_INSTALL} again"
        ) from error


def _check(reply: Mapping[str, Any]) -> None:
    match reply.get("failure"):
        case "start":
            reason = f"the embedded engine does not start: {reply['reason']}"
            raise Misconfigured(reason, f"run {_INSTALL} again")
        case "memory":
            raise Unavailable("there is not enough memory to read the picture", suspect=True)
        case "picture":
            raise BadAnswer("not done", f"the embedded engine gave up: {_last_line(reply['reason'])}")


def _last_line(trace: str) -> str:
    return (trace.strip().splitlines() or ["it did not say why"])[-1]
