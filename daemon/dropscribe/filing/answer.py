"""An answer that follows a schema, as Markdown: its fields as a list, for those who read it; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dropscribe.fields import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def as_markdown(answer: Any) -> str:
    """Nested lists, an object's names in bold; what is null is left out, and a value stays on its line."""
    return "\n".join(_lines(answer, ""))


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _item(f"{indent}- **{_line(name)}**:", held, indent)
    elif isinstance(value, list):
        for held in value:
            yield from _item(f"{indent}-", held, indent)
    elif value is not None:
        yield indent + _line(in_words(value))


def _item(start: str, held: Any, indent: str) -> Iterator[str]:
    if isinstance(held, dict | list):
        if inside := list(_lines(held, f"{indent}  ")):
            yield start
            yield from inside
    elif held is not None:
        yield f"{start} {_line(in_words(held))}".rstrip()


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()
