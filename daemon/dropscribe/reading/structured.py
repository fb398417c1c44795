"""The judgement on an answer that has to be JSON of a given schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropscribe.jsonschemas import problems
from dropscribe.values import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 3
_DEEPEST = 100
"""Lists and objects inside each other: writing what is nested further ends in a RecursionError on some Pythons."""


def judge_json(verdict: Verdict, schema: Mapping[str, Any]) -> Verdict:
    """`verdict`, or the verdict `schema` where its text is not JSON or does not follow `schema`."""
    try:
        found = json.loads(verdict.text)
    except (ValueError, RecursionError) as error:
        return Verdict("schema", f"the model's answer is not valid JSON: {error}", verdict.text)
    if _deeper_than(_DEEPEST, found):
        words = f"the model's answer has more than {_DEEPEST} lists and objects inside each other"
        return Verdict("schema", words, verdict.text)
    wrong = problems(found, schema)
    if wrong:
        said = "; ".join(wrong[:_SHOWN])
        return Verdict("schema", f"the model's answer does not follow the schema: {said}", verdict.text)
    return verdict


def _deeper_than(limit: int, value: Any) -> bool:
    level = [value]
    for _ in range(limit):
        level = [held for each in level for held in _held_by(each)]
        if not level:
            return False
    return any(isinstance(each, list | dict) for each in level)


def _held_by(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
