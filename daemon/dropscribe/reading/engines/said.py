"""What a server said instead of an answer, read out of whatever wraps it; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropscribe.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORDS_LIMIT = 300
_NAME_LIMIT = 80
_DEPTH = 4  # llama-server's error as a string in Ollama's, that in the OpenAI-compatible one, and one more


@dataclass(frozen=True, slots=True)
class Said:
    """`text` in the server's words, `fields` beside it as llama-server sends them; `model` was asked for.

    `is_json`: it came as an error of a JSON object, as Ollama sends it, and not as somebody else's page.
    """

    text: str
    fields: Mapping[str, Any]
    is_json: bool
    model: str

    @property
    def words(self) -> str:
        """The server's words in one line of at most 300 printable characters."""
        return one_line(self.text, _WORDS_LIMIT)

    def number(self, name: str) -> int:
        value = self.fields.get(name)
        return value if isinstance(value, int) else 0


def read(body: str, model: str) -> Said:
    """`body` may be anything; never raises."""
    text, fields, is_json = body, {}, False
    for error in _errors(body):
        is_json = True
        if isinstance(error, dict):
            text, fields = "", error
        else:
            text = error
    return Said(text, fields, is_json, one_line(model, _NAME_LIMIT) or "the model")


def _errors(body: str) -> Iterator[str | dict[str, Any]]:
    """The errors in one another from outside in, each dict followed by its message."""
    for _ in range(_DEPTH):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return
        error = found.get("error") if isinstance(found, dict) else None
        if isinstance(error, dict):
            yield error
            error = error.get("message")
        if not isinstance(error, str):
            return
        yield error
        body = error
