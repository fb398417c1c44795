"""The judgement on an answer that has to be JSON of a given schema."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from dropscribe.jsonschemas import problems
from dropscribe.values import Verdict
from dropscribe.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DEEPEST = 100
"""Lists and objects inside each other: writing what is nested further ends in a RecursionError on some Pythons."""
_DIGITS = 300
"""Of a whole number: more than any page has, fewer than Python refuses to write."""


def judge_json(verdict: Verdict, schema: Mapping[str, Any]) -> Verdict:
    """`verdict` with its text as normalised JSON; the verdict `schema` where it is not JSON of `schema`.

    Normalised: indented by two, in the order of the answer, one newline at the end.
    """
    try:
        found = _parsed(verdict.text)
    except (ValueError, RecursionError) as error:
        words = one_line(str(error), 160)
        return Verdict("schema", f"the model's answer is not valid JSON: {words}", verdict.text)
    if _deeper_than(_DEEPEST, found):
        words = f"the model's answer has more than {_DEEPEST} lists and objects inside each other"
        return Verdict("schema", words, verdict.text)
    if found == schema:
        return Verdict("echo", "the model repeated the schema instead of filling it in", verdict.text)
    wrong = problems(found, schema)
    if wrong:
        said = one_line("; ".join(wrong), 800)
        return Verdict("schema", f"the model's answer does not follow the schema: {said}", verdict.text)
    return Verdict(verdict.name, verdict.sentence, _normalised(found))


def _normalised(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    # Half of a character cannot be written as UTF-8; two halves that belong together become one.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") + "\n"


def _parsed(text: str) -> Any:
    """Only what RFC 8259 calls JSON, and nothing of which a part would be lost; ValueError says what else."""
    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_int=_whole,
        parse_float=_number,
        parse_constant=_no_constant,
    )


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{one_line(twice, 60)}" stands twice in one object')
    return found


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {one_line(digits, 40)} is too large")
    if Decimal(repr(number)) != Decimal(digits):
        raise ValueError(f"the number {one_line(digits, 40)} has more digits than can be kept")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


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
