"""The options of a request: their types, and the format of the answer; pure. Wrong ones are a 500."""

from __future__ import annotations

import json
from typing import Any

from tests.standin.refused import Refused, nested

_KINDS = {
    "integer": "num_ctx num_batch num_gpu main_gpu num_thread draft_num_predict num_keep seed num_predict "
    "top_k repeat_last_n",
    "float32": "top_p min_p typical_p temperature repeat_penalty presence_penalty frequency_penalty",
    "boolean": "use_mmap",
    "array": "stop",
}
_KIND = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")


def check_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that count: unknown and null ones are left out."""
    known = {name: value for name, value in options.items() if name in _KIND and value is not None}
    for name, value in known.items():
        if not _fits(_KIND[name], value):
            raise Refused(500, f'option "{name}" must be of type {_KIND[name]}')
        if _KIND[name] == "array" and not all(isinstance(one, str) for one in value):
            raise Refused(500, f'option "{name}" must be of an array of strings')
    return {name: int(value) if _KIND[name] == "integer" else value for name, value in known.items()}


def check_format(given: Any) -> None:
    if given is None or given in ("", "json"):
        return
    if not isinstance(given, dict):
        shown = json.dumps(json.dumps(given))
        raise Refused(500, f'invalid format: {shown}; expected "json" or a valid JSON Schema object')
    for kind in _types(given):
        if kind not in _TYPES:
            why = "Unable to generate parser for this template. Automatic parser generation failed"
            message = f"{why}: JSON schema error at #: unrecognized type {kind}"
            raise nested(400, message, "invalid_request_error")


def _fits(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "array":
        return isinstance(value, list)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _types(schema: dict[str, Any]) -> list[Any]:
    own = schema.get("type", [])
    found = list(own) if isinstance(own, list) else [own]
    properties = schema.get("properties")
    inner = list(properties.values()) if isinstance(properties, dict) else []
    inner.append(schema.get("items"))
    return found + [kind for part in inner if isinstance(part, dict) for kind in _types(part)]
