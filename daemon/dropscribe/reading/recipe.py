"""The ladder of recipes for one page: what is tried first, and what next after each verdict; pure.

Recipes follow from verdicts alone, so a page's place on the ladder can be found again from its history. What
was wrong with the form of an answer is handed back with the next question, once: the try after that one begins
anew, so that prompts do not grow and a model that is led astray by its own answer gets away from it.

The repeat penalty is never a remedy: it breaks tables and makes models comment (QwenLM/Qwen3-VL#241, #1611).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dropscribe.prompts import handed_back, is_handed_back
from dropscribe.reading.families import options_for, prompt_for
from dropscribe.reading.models import EMBEDDED, picture_tokens, prompt_tokens, useful_size
from dropscribe.values import Recipe, Size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "LADDER",
    "OPTIONS",
    "Means",
    "Recipe",
    "Rung",
    "Tried",
    "changes",
    "describe",
    "first",
    "next_recipe",
]

OPTIONS: Mapping[str, Any] = {
    "temperature": 0,
    "top_p": 0.9,
    "seed": 1,
    "repeat_penalty": 1.0,  # said aloud: 1.1 was the server's default before 0.32.15
    "num_ctx": 8192,
    "num_predict": 4096,
}
"""The server's own are made for chat: temperature 0.8, a context of 4096, endless answers (api/types.go)."""

_ROOM = ("num_predict", "num_ctx")
_TEMPERATURES = (0.1, 0.3, 0.6)
# Another value makes the server load the model anew, so there are few, and none is taken back on the same page.
_CONTEXTS = (8192, 12288, 16384, 24576, 32768)
_LEAST_PIXELS = 250_000  # below, a page cannot be read
_MOST_BANDS = 4


class Rung(StrEnum):
    """What another recipe changes; the words are those of the documentation."""

    WARMER = "warmer"
    TURNED = "turned upright, warmer"
    BANDS = "twice the bands, warmer"
    LONGER = "twice the answer"
    CONTEXT = "a larger context"
    SMALLER = "half the picture"
    AGAIN = "the same with another seed"
    TOLD = "told what was wrong"


_HOST_DIED = "no answer"

LADDER: Mapping[str, tuple[Rung, ...]] = {
    "empty": (Rung.TURNED, Rung.BANDS),
    "thinking only": (Rung.WARMER, Rung.LONGER),
    "not done": (Rung.WARMER,),
    "length": (Rung.LONGER, Rung.BANDS),
    "cut": (Rung.WARMER,),
    "flood": (Rung.WARMER,),
    "loop": (Rung.WARMER, Rung.BANDS),
    "markup": (Rung.WARMER,),
    "refusal": (Rung.TURNED, Rung.BANDS),
    "description": (Rung.TURNED,),
    "echo": (Rung.WARMER,),
    "schema": (Rung.TOLD, Rung.WARMER, Rung.TOLD, Rung.WARMER, Rung.TOLD),
    "context": (Rung.SMALLER, Rung.CONTEXT, Rung.SMALLER),
    "picture": (Rung.SMALLER, Rung.SMALLER, Rung.SMALLER),
    # ollama#15828: a third of a batch died and was read at the second try, unchanged.
    _HOST_DIED: (Rung.AGAIN, Rung.SMALLER, Rung.SMALLER),
}
"""What changes after a verdict, the first time it is given, the second, and so on; after these, and where a rung
cannot be had, the next try is warmer."""


@dataclass(frozen=True, slots=True)
class Means:
    """What can be done with the page: turned, because there is an engine that tells how it lies; cut into bands."""

    turn: bool = False
    bands: bool = False


NO_MEANS = Means()


@dataclass(frozen=True, slots=True)
class Tried:
    """One recipe that was tried on a page, and the verdict on its answer: its name and its sentence.

    `text` is the answer itself, as far as the verdict is about its form.
    """

    recipe: Recipe
    verdict: str
    sentence: str = ""
    text: str = ""


def first(
    *,
    engine: str,
    model: str,
    prompt: str,
    options: Mapping[str, Any],
    preset: str = "",
    keep_alive: str | int | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Recipe:
    """The lowest rung: `options` of the user over our own, the largest picture the model makes use of.

    `preset` is the name of the prompt, for which the family of the model may have words of its own. An option that
    the user leaves at our default counts as left out, so the family's goes before it.
    """
    merged = {**OPTIONS, **options}
    merged |= {name: value for name, value in options_for(model).items() if merged[name] == OPTIONS.get(name)}
    size = EMBEDDED if engine == "ocr" else _size(model, merged)
    return Recipe(engine, model, prompt_for(model, preset, prompt), merged, size, keep_alive, schema)


def next_recipe(
    bases: Sequence[Recipe], tries: Sequence[Tried], *, limit: int = 4, means: Means = NO_MEANS
) -> Recipe | None:
    """The recipe after `tries`, all of one page and oldest first, or None when `limit` of them were tried.

    `bases` are the first recipes of the models in their order. Never a recipe that was tried before. The last tries
    go to the models after the first, one each.
    """
    if len(tries) >= limit:
        return None
    if not tries:
        return bases[0]
    others = tuple({base.model: base for base in bases[1:] if base.model != bases[0].model}.values())[
        : limit - 1
    ]
    turn = len(tries) - (limit - len(others))
    if turn >= 0:
        return _by_model(others[turn], tries[-1].recipe)
    return _other_way(bases[0], tries, means)


def describe(recipe: Recipe) -> str:
    """One phrase for the log and the reason file: `qwen3.5:4b, temperature 0.3, up to 1.2 MP, 2 bands`."""
    words = [recipe.model or recipe.engine]
    if recipe.model:
        words.append(f"temperature {_number(recipe.options, 'temperature'):g}")
    words.append(f"up to {recipe.size.pixels / 1e6:.1f} MP")
    predict = _whole(recipe.options, "num_predict")
    if predict > OPTIONS["num_predict"]:
        words.append(f"{predict:,} tokens")
    if recipe.bands > 1:
        words.append(f"{recipe.bands} bands")
    if recipe.turn:
        words.append("turned upright")
    if is_handed_back(recipe.prompt):
        words.append("told what was wrong")
    return ", ".join(words)


def changes(recipe: Recipe, base: Recipe) -> dict[str, Any]:
    """What `recipe` has otherwise than `base`, by name; options by their own names, prompts not told.

    `told`: what was wrong with the answer before was handed back with the prompt.
    """
    found: dict[str, Any] = {
        name: recipe.options.get(name)
        for name in (*base.options, *recipe.options)
        if recipe.options.get(name) != base.options.get(name)
    }
    for name in ("model", "bands", "turn"):
        if getattr(recipe, name) != getattr(base, name):
            found[name] = getattr(recipe, name)
    if is_handed_back(recipe.prompt):
        found["told"] = True
    if recipe.size != base.size:
        found["size"] = [recipe.size.pixels, recipe.size.side]
    return found


def _other_way(base: Recipe, tries: Sequence[Tried], means: Means) -> Recipe:
    last = tries[-1]
    again = sum(tried.verdict == last.verdict for tried in tries)
    rungs = LADDER.get(last.verdict, ())
    rung = rungs[again - 1] if again <= len(rungs) else Rung.WARMER
    seed = _whole(base.options, "seed") + len(tries)
    if rung is Rung.TOLD and last.sentence and last.recipe.prompt == base.prompt:
        # Nothing else changes: the page was read, it is the form that is to be mended.
        return replace(last.recipe, prompt=handed_back(base.prompt, last.sentence, last.text))
    prompt = last.recipe.prompt if last.verdict == _HOST_DIED else base.prompt
    climbed = _climb(rung, base, last.recipe, seed, means) or _warmer(last.recipe, seed)
    return replace(climbed, prompt=prompt)


def _climb(rung: Rung, base: Recipe, last: Recipe, seed: int, means: Means) -> Recipe | None:
    """None where this rung cannot be had."""
    match rung:
        case Rung.TURNED if means.turn and not last.turn:
            return replace(_warmer(last, seed), turn=True)
        case Rung.BANDS if means.bands and last.bands < _MOST_BANDS:
            return replace(_warmer(last, seed), bands=2 * last.bands)
        case Rung.LONGER:
            return _longer_answer(base, last)
        case Rung.CONTEXT:
            return _larger_context(last)
        case Rung.SMALLER:
            return _smaller_picture(last)
        case Rung.AGAIN:
            return _with(last, seed=seed)
    return None


def _by_model(base: Recipe, last: Recipe) -> Recipe:
    """The first recipe of another model; what the page was found to need stays."""
    room = {name: max(_whole(base.options, name), _whole(last.options, name)) for name in _ROOM}
    options = {**base.options, **room}
    return replace(base, options=options, size=_size(base.model, options), bands=last.bands, turn=last.turn)


def _warmer(last: Recipe, seed: int) -> Recipe:
    now = _number(last.options, "temperature")
    return _with(last, temperature=next((step for step in _TEMPERATURES if step > now), now), seed=seed)


def _longer_answer(base: Recipe, last: Recipe) -> Recipe | None:
    """Twice the answer, once, in a larger context only where that does not fit; an endless one gets the context."""
    answer, context = _whole(last.options, "num_predict"), _whole(last.options, "num_ctx")
    if answer <= 0:
        return _larger_context(last) if context == _whole(base.options, "num_ctx") else None
    if answer != _whole(base.options, "num_predict"):
        return None
    needed = 2 * answer + prompt_tokens(last.prompt) + picture_tokens(last.model, last.size)
    return _with(last, num_predict=2 * answer, num_ctx=_context(max(needed, context), context))


def _larger_context(last: Recipe) -> Recipe | None:
    now = _whole(last.options, "num_ctx")
    larger = _context(now + 1, now)
    return _with(last, num_ctx=larger) if larger > now else None


def _smaller_picture(last: Recipe) -> Recipe | None:
    """Half of the pixels; the longer side shrinks too, for it alone may bound a long receipt."""
    smaller = Size(last.size.pixels // 2, int(last.size.side * 0.7))
    return replace(last, size=smaller) if smaller.pixels >= _LEAST_PIXELS else None


def _context(wanted: int, now: int) -> int:
    """The least context that holds so much; the present one if it does."""
    if wanted <= now:
        return now
    return next((step for step in _CONTEXTS if step >= wanted), max(now, _CONTEXTS[-1]))


def _with(recipe: Recipe, **options: Any) -> Recipe:
    return replace(recipe, options={**recipe.options, **options})


def _size(model: str, options: Mapping[str, Any]) -> Size:
    return useful_size(model, num_ctx=_whole(options, "num_ctx"), num_predict=_whole(options, "num_predict"))


def _whole(options: Mapping[str, Any], name: str) -> int:
    return int(_number(options, name))


def _number(options: Mapping[str, Any], name: str) -> float:
    """An option that is left out, or is no number, counts with our own value."""
    value = options.get(name)
    return value if isinstance(value, (int, float)) else OPTIONS[name]
