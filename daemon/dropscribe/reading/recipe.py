"""The ladder of recipes for one page: what is tried first, and what next after each verdict; pure.

Recipes follow from verdicts alone, so a page's place on the ladder can be found again from its history. The
repeat penalty is never a remedy: it breaks tables and makes models comment (QwenLM/Qwen3-VL#241, #1611).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dropscribe.reading.models import EMBEDDED, useful_size
from dropscribe.values import Recipe, Size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OPTIONS", "Recipe", "Tried", "describe", "first", "next_recipe"]

OPTIONS: Mapping[str, Any] = {
    "temperature": 0,
    "top_p": 0.9,
    "seed": 1,
    "repeat_penalty": 1.0,  # said aloud: 1.1 was the server's default before 0.32.15
    "num_ctx": 8192,
    "num_predict": 4096,
}
"""The server's own are made for chat: temperature 0.8, a context of 4096, endless answers (api/types.go)."""

_SAMPLING = ("temperature", "seed")
_TEMPERATURES = (0.1, 0.3, 0.6)
_CONTEXTS = (
    8192,
    12288,
    16384,
    24576,
    32768,
)  # another value makes the server load the model anew
_LEAST_PIXELS = 250_000  # below, a page cannot be read

_TOO_LARGE = frozenset({"picture", "context"})
_HOST_DIED = "no answer"  # ollama#15828: a third of a batch died and was read at the second try, unchanged


@dataclass(frozen=True, slots=True)
class Tried:
    """One recipe that was tried on a page, and the name of the verdict on its answer."""

    recipe: Recipe
    verdict: str


def first(
    *,
    engine: str,
    model: str,
    prompt: str,
    options: Mapping[str, Any],
    keep_alive: str | int | None = None,
    schema: Mapping[str, Any] | None = None,
) -> Recipe:
    """The lowest rung: `options` of the user over our own, the largest picture the model makes use of."""
    merged = {**OPTIONS, **options}
    size = EMBEDDED if engine == "ocr" else _size(model, merged)
    return Recipe(engine, model, prompt, merged, size, keep_alive, schema)


def next_recipe(
    base: Recipe, models: tuple[str, ...], tries: Sequence[Tried], *, limit: int = 4
) -> Recipe | None:
    """The recipe after `tries`, all of one page and oldest first, or None when `limit` of them were tried.

    Never one that was tried before. The last tries go to the models after `base.model` in `models`, one each.
    """
    if len(tries) >= limit:
        return None
    if not tries:
        return base
    others = tuple(dict.fromkeys(model for model in models if model != base.model))[: limit - 1]
    turn = len(tries) - (limit - len(others))
    if turn >= 0:
        return _by_model(others[turn], base, tries[-1].recipe)
    return _other_way(base, tries)


def describe(recipe: Recipe) -> str:
    """One phrase for the log and the reason file: `qwen3.5:4b, temperature 0.3, up to 1.2 MP`."""
    words = [recipe.model or recipe.engine]
    if recipe.model:
        words.append(f"temperature {_number(recipe.options, 'temperature'):g}")
    words.append(f"up to {recipe.size.pixels / 1e6:.1f} MP")
    predict = _whole(recipe.options, "num_predict")
    if predict > OPTIONS["num_predict"]:
        words.append(f"{predict:,} tokens")
    return ", ".join(words)


def _other_way(base: Recipe, tries: Sequence[Tried]) -> Recipe:
    last = tries[-1]
    again = sum(tried.verdict == last.verdict for tried in tries)
    changed = None
    if last.verdict == "length":
        changed = _longer_answer(base, last.recipe)
    elif last.verdict == "context" and again == 2:
        changed = _larger_context(last.recipe)
    elif last.verdict in _TOO_LARGE or (last.verdict == _HOST_DIED and again > 1):
        changed = _smaller_picture(last.recipe)
    elif last.verdict == _HOST_DIED:
        changed = _with(last.recipe, seed=_seed(base, tries))
    return changed or _warmer(last.recipe, _seed(base, tries))


def _by_model(model: str, base: Recipe, last: Recipe) -> Recipe:
    # What the answer was found to need stays; what was meant to shake the other model goes.
    kept = {name: value for name, value in last.options.items() if name not in _SAMPLING}
    options = kept | {name: value for name, value in base.options.items() if name in _SAMPLING}
    return replace(base, model=model, options=options, size=_size(model, options))


def _warmer(last: Recipe, seed: int) -> Recipe:
    now = _number(last.options, "temperature")
    return _with(last, temperature=next((step for step in _TEMPERATURES if step > now), now), seed=seed)


def _longer_answer(base: Recipe, last: Recipe) -> Recipe | None:
    """Twice the answer with a context to hold it, once; an answer without limit gets a larger context."""
    answer, context = _whole(last.options, "num_predict"), _whole(last.options, "num_ctx")
    if answer <= 0:
        return _larger_context(last) if context == _whole(base.options, "num_ctx") else None
    if answer != _whole(base.options, "num_predict"):
        return None
    return _with(last, num_predict=2 * answer, num_ctx=_context(context + answer, context))


def _larger_context(last: Recipe) -> Recipe | None:
    now = _whole(last.options, "num_ctx")
    larger = _context(now + 1, now)
    return _with(last, num_ctx=larger) if larger > now else None


def _smaller_picture(last: Recipe) -> Recipe | None:
    """Half of the pixels; the longer side shrinks too, for it alone may bound a long receipt."""
    smaller = Size(last.size.pixels // 2, int(last.size.side * 0.7))
    return replace(last, size=smaller) if smaller.pixels >= _LEAST_PIXELS else None


def _context(wanted: int, now: int) -> int:
    return next((step for step in _CONTEXTS if step >= wanted), max(now, _CONTEXTS[-1]))


def _seed(base: Recipe, tries: Sequence[Tried]) -> int:
    return _whole(base.options, "seed") + len(tries)


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
