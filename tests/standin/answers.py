"""What the stand-in says: truly what it reads in the picture, cut into pieces as a model would; pure."""

from __future__ import annotations

import json
import random
import re
from itertools import permutations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standin.asked import Request

_PIECE = re.compile(r"[^\S\n]*\S+\n*|\s+")
_SYLLABLES = ("ba", "del", "fin", "gor", "ka", "lim", "mon", "ner", "pol", "ras", "sti", "tu", "vel", "wen")
_NAMES = [f"{first}{second}{third}" for first, second, third in permutations(_SYLLABLES, 3)]

THINKING = "The picture shows some text. I shall copy it line by line."
OVERHEAD = 19
"""Tokens that a chat template adds to the prompt."""


def pieces(text: str) -> list[str]:
    """The tokens of `text`; together they are `text` again."""
    return _PIECE.findall(text)


def prompt_tokens(request: Request) -> int:
    return OVERHEAD + sum(len(pieces(message.content)) for message in request.messages)


def first_line(prompt: str) -> str:
    return prompt.strip().partition("\n")[0].strip()


def pseudo_words(seed: int | str, lines: int = 3) -> str:
    """The same few lines for the same seed, and others for another."""
    chance = random.Random(seed)
    return "\n".join(" ".join(chance.sample(_NAMES, 5)) for _ in range(lines))


def reading(request: Request, *, blind: bool = False) -> str:
    """The plain text for `request`; `blind`: the model does not get to see the picture."""
    sight = None if blind else request.sight
    if sight is None:
        seen, seed = "no picture", request.prompt
    elif sight.mark is None:
        seen, seed = f"picture {sight.width}x{sight.height}", sight.sha256
    else:
        seen, seed = f"scan {sight.mark}", str(sight.mark)
    return f"{seen}\n{first_line(request.prompt)}\n{pseudo_words(seed)}"


def shaped(text: str, form: Any, number: int) -> str:
    """`text` in the shape that `format` asks for: as it is, or inside a JSON object."""
    if not form:
        return text
    if form == "json":
        return json.dumps({"text": text}, ensure_ascii=False)
    return json.dumps(_value(form, form, text, number), ensure_ascii=False, indent=1)


def _value(schema: dict[str, Any], root: dict[str, Any], text: str, number: int) -> Any:
    """The simplest value that satisfies `schema`; strings hold the text, numbers the mark."""
    schema = _resolved(schema, root)
    fixed = [schema["const"]] if "const" in schema else schema.get("enum")
    if fixed:
        return fixed[0]
    kind = _kind(schema)
    if kind == "object":
        parts = schema.get("properties", {})
        return {name: _value(part, root, text, number) for name, part in parts.items()}
    if kind == "array":
        return [_value(schema.get("items", {}), root, text, number)] * max(1, schema.get("minItems", 1))
    if kind in ("number", "integer"):
        return min(max(number, schema.get("minimum", number)), schema.get("maximum", number))
    if kind == "string":
        return _string(schema, text)
    return {"boolean": True}.get(kind)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    for choice in ("anyOf", "oneOf"):
        options = [part for part in schema.get(choice, ()) if part.get("type") != "null"]
        if options:
            return _resolved(options[0], root)
    if "$ref" not in schema:
        return schema
    target: Any = root
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return _resolved(target, root)


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kinds = kind if isinstance(kind, list) else [kind]
    return next((one for one in kinds if one != "null"), "null")


def _string(schema: dict[str, Any], text: str) -> str:
    fixed = {"date": "2026-01-31", "time": "12:30:00Z", "date-time": "2026-01-31T12:30:00Z"}
    if schema.get("format") in fixed:
        return fixed[schema["format"]]
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
