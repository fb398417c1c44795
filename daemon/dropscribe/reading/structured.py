"""The judgement on an answer that has to be JSON of a given schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropscribe.jsonschemas import problems
from dropscribe.values import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN = 3


def judge_json(verdict: Verdict, schema: Mapping[str, Any]) -> Verdict:
    """`verdict`, or the verdict `schema` where its text is not JSON or does not follow `schema`."""
    try:
        found = json.loads(verdict.text)
    except (ValueError, RecursionError) as error:
        return Verdict("schema", f"the model's answer is not valid JSON: {error}", verdict.text)
    wrong = problems(found, schema)
    if wrong:
        said = "; ".join(wrong[:_SHOWN])
        return Verdict("schema", f"the model's answer does not follow the schema: {said}", verdict.text)
    return verdict
