"""Proving that a host works: what it says of the model, and if need be that it reads a picture."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable
from dropscribe.values import Picture

if TYPE_CHECKING:
    from dropscribe.reading.engines import Engine, ModelState
    from dropscribe.stop import Stop
    from dropscribe.values import Recipe

_SIDE = 64  # pixels; no runner refuses this, and servers before 0.30 die below 32
_TOKENS = 8


def usable(engine: Engine, models: tuple[str, ...], *, stop: Stop) -> tuple[str, ...]:
    """Those of `models` that this engine can ask, in their order; a single one is taken at its word.

    Raises Misconfigured, with the words for the first of them, when there is none; Unavailable, Stopped.
    """
    if len(models) < 2:
        return models
    found, refusals = [], []
    for model in models:
        try:
            engine.check(model, stop=stop)
            found.append(model)
        except Misconfigured as refusal:
            refusals.append(refusal)
    if not found:
        raise refusals[0]
    return tuple(found)


def prove(engine: Engine, recipe: Recipe, *, stop: Stop, deep: bool) -> ModelState:
    """What the host says of the recipe's model; `deep`: after it has read a blank picture.

    Raises Unavailable if it does not work for any picture, Misconfigured, Stopped.
    """
    state = engine.check(recipe.model, stop=stop)
    if deep:
        try:
            # The load options stay as they are: others would make the server load the model anew.
            answer = engine.ask(_blank(), _short(recipe), stop=stop)
        except BadAnswer as bad:
            raise Unavailable(f"{engine.host} does not even read a blank picture: {bad.reason}") from bad
        if not answer.done and not answer.cut:
            raise Unavailable(f"{engine.host} does not finish its answer to a blank picture")
    return state


def _short(recipe: Recipe) -> Recipe:
    return replace(recipe, options={**recipe.options, "num_predict": _TOKENS}, schema=None)


def _blank() -> Picture:
    data = io.BytesIO()
    Image.new("L", (_SIDE, _SIDE), 255).save(data, "PNG")
    return Picture(data.getvalue(), "PNG", _SIDE, _SIDE)
