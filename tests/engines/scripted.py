"""The fake engine: answers from a list, or by the mark in the picture; passes the contract of real ones."""

import io

from PIL import Image

from dropscribe.errors import Misconfigured
from dropscribe.reading.engines import ModelState
from dropscribe.values import Answer
from tests.standin import marks


class ScriptedEngine:
    """`script`: what each request gets in turn, an Answer or an exception; after it, what the picture says."""

    def __init__(self, script=(), models=("qwen3.5:4b",), host="scripted"):
        self.host = host
        self.asked = []
        self.pictures = []
        self._script = list(script)
        self._models = models

    def check(self, model, *, stop):
        stop.check()
        if model not in self._models:
            raise Misconfigured(f"the model {model} is not installed", f"run `ollama pull {model}`")
        return ModelState("sha256:0", "1.0")

    def ask(self, picture, recipe, *, stop):
        self.check(recipe.model, stop=stop)
        self.asked.append(recipe)
        self.pictures.append(picture)
        turn = self._script.pop(0) if self._script else self._read(picture, recipe)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def new_scan(self):
        pass

    def rest(self):
        pass

    def close(self):
        pass

    def _read(self, picture, recipe):
        with Image.open(io.BytesIO(picture.data)) as image:
            text = f"scan {marks.read(image)}"
        return Answer(
            text, done=True, done_reason="stop", model=recipe.model, model_digest="sha256:0", host=self.host
        )
