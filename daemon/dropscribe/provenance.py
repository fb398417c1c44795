"""How a text came about: what each try asked and cost, and what of it stands beside the text; pure.

What is found out about a page's text later, by whomever, belongs beside `of_try`, which makes the sidecar's history.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from dropscribe.ledger.records import Asked
from dropscribe.reading.recipe import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dropscribe.ledger.records import Page, Try
    from dropscribe.reading.wanted import Prepared
    from dropscribe.values import Answer, Recipe

_DIGITS = 16
"""Of the prompt's SHA-256: enough to tell prompts apart, and no prompt can be read from it."""


def asked(recipe: Recipe, base: Recipe, prepared: Prepared, turn: int, answer: Answer | None) -> Asked:
    """What a try by `recipe` asked; `base` is the first recipe of the page, `turn` in degrees."""
    return Asked(
        model=recipe.model,
        digest=answer.model_digest if answer else "",
        host=answer.host if answer else "",
        server=answer.server if answer else "",
        prompt_sha256=hashlib.sha256(recipe.prompt.encode("utf-8", "replace")).hexdigest()[:_DIGITS],
        options=dict(recipe.options) if recipe.model else {},
        changed=changes(recipe, base),
        size=(recipe.size.pixels, recipe.size.side),
        bands=len(prepared.pictures),
        turn=turn,
        sent=tuple((each.width, each.height, each.format, len(each.data)) for each in prepared.pictures),
        prompt_tokens=answer.prompt_tokens if answer else 0,
        tokens=answer.tokens if answer else 0,
    )


def of_pages(pages: Sequence[Page], tries: Iterable[Try]) -> dict[str, Any]:
    """Those fields of a text's Provenance that follow from its pages and the refused tries at them."""
    told = [page for page in pages if page.asked] or list(pages[:1])
    first = told[0].asked if told else None
    refused = [of_try(each.page, each.recipe, each.verdict, each.seconds, each.asked) for each in tries]
    taken = [of_try(page.page, page.recipe, page.verdict, page.seconds, page.asked) for page in pages]
    costs = [each.asked for each in pages if each.asked]
    return {
        "server": first.server if first else "",
        "prompt_sha256": first.prompt_sha256 if first else "",
        "options": dict(first.options) if first else {},
        "pictures": tuple(picture for each in costs for picture in _in_words(each)),
        "prompt_tokens": sum(each.prompt_tokens for each in costs),
        "tokens": sum(each.tokens for each in costs),
        "history": tuple(sorted([*refused, *taken], key=lambda each: int(each["page"]))),
    }


def of_try(page: int, recipe: str, verdict: str, seconds: float, cost: Asked | None) -> dict[str, Any]:
    """One try at one page, as the sidecar tells it; what is not known is left out."""
    facts: dict[str, Any] = {"recipe": recipe, "seconds": round(seconds, 1)}
    if cost is not None:
        facts |= {
            "model": cost.model,
            "model_digest": cost.digest,
            "host": cost.host,
            "server": cost.server,
            "prompt_sha256": cost.prompt_sha256,
            "changed": dict(cost.changed),
            "turned": cost.turn,
            "pictures": _in_words(cost),
            "prompt_tokens": cost.prompt_tokens,
            "tokens": cost.tokens,
        }
    told = {key: value for key, value in facts.items() if value not in ("", 0, {}, [])}
    return {"page": page, "verdict": verdict} | told


def _in_words(cost: Asked) -> list[str]:
    return [f"{width} x {height} {kind}" for width, height, kind, _ in cost.sent]
