"""What the model is asked when the user does not say, and the prompts that have a name; pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_TEXT = "[no text]"
"""The whole answer to a page without text."""

ILLEGIBLE = "[illegible]"
"""Stands where a word cannot be read."""

_OR_NO_TEXT = f"If there is no text on the page, reply with exactly: {NO_TEXT}"

# No sample of a transcription anywhere below: models copy samples into their answers.
PLAIN = f"""\
Transcribe all text on this page exactly as it stands, in reading order.
Keep the original language, spelling (wrong spelling too), numbers, punctuation and line breaks.
Do not translate, correct, summarise, explain or add anything.
Write {ILLEGIBLE} where a word cannot be read; do not guess.
{_OR_NO_TEXT}"""

MARKDOWN = f"""\
{PLAIN}
Use Markdown headings, lists and tables only where the page itself has headings, lists and tables.
No code fence around the answer."""

TABLE = f"""\
Transcribe the table on this page as a Markdown table, and nothing else.
Copy each cell exactly as it stands, every row and every column; keep empty cells empty.
Do not translate, correct, calculate, summarise or add anything.
Write {ILLEGIBLE} where a cell cannot be read; do not guess. No code fence around the answer.
{_OR_NO_TEXT}"""

HANDWRITING = f"""\
Transcribe all text on this page; it is written by hand. Read letter by letter and keep the lines as they are.
Keep the original language, spelling (wrong spelling too), abbreviations, numbers and punctuation.
Do not translate, correct, complete or add anything; do not guess names or numbers.
Write {ILLEGIBLE} where a word cannot be read.
{_OR_NO_TEXT}"""

RECEIPT = f"""\
Transcribe this receipt exactly as it stands, from the top to the bottom.
Write each item on a line of its own, with its amount at the end of that line.
Copy names, dates, numbers and amounts digit by digit; do not translate, correct, calculate or add anything.
Write {ILLEGIBLE} where a word or a number cannot be read; do not guess.
{_OR_NO_TEXT}"""

DESCRIBE = f"""\
Describe this picture in two or three sentences. Only what is visible; no guesses about names, places or dates.
If nothing can be seen in it, reply with exactly: {NO_TEXT}"""

FILL = """\
Read this page and fill in the JSON schema from what is printed or written on it.
Copy names, numbers, dates and amounts exactly as they stand; do not translate, correct, convert or calculate.
Use null for everything that is not on the page or cannot be read; do not guess.
Reply with the JSON only."""

PRESETS: Mapping[str, str] = {
    "plain": PLAIN,
    "markdown": MARKDOWN,
    "table": TABLE,
    "handwriting": HANDWRITING,
    "receipt": RECEIPT,
    "describe": DESCRIBE,
}
"""By the one word that stands for each in a config; families of models may have words of their own for some."""


def default(output_format: str) -> str:
    """The name of the preset for an inbox without a prompt; `output_format` is markdown, text or json."""
    return "markdown" if output_format == "markdown" else "plain"


SCHEMA_ROOM = 4000
"""Characters of a schema, without spare blanks, that a prompt has room for: about 1,300 tokens."""

_REPLY = "Reply with JSON that follows this JSON schema, and nothing else:"
_REFUSED = "An earlier answer to this was refused:"
_ANSWER_ROOM = 1000
"""Characters of an answer that is handed back; of a longer one only the problems are told."""


def with_schema(prompt: str, schema: Mapping[str, Any] | None) -> str:
    """`prompt` with the schema below it, which Ollama's documentation advises beside the request's `format`.

    A schema above SCHEMA_ROOM is left out: it would take the room of the picture, and `format` holds it all
    the same.
    """
    if schema is None or not is_named(schema):
        return prompt
    return f"{prompt}\n\n{_REPLY}\n{_compact(schema)}"


def without_schema(prompt: str) -> str:
    """`prompt` as it was before a schema or an answer was put below it."""
    return prompt.partition(f"\n\n{_REPLY}\n")[0].partition(f"\n\n{_REFUSED} ")[0]


def is_named(schema: Mapping[str, Any]) -> bool:
    """Whether the schema is small enough to stand in the prompt."""
    return len(_compact(schema)) <= SCHEMA_ROOM


def _compact(schema: Mapping[str, Any]) -> str:
    return json.dumps(dict(schema), ensure_ascii=False, separators=(",", ":"))


def handed_back(prompt: str, problem: str, answer: str) -> str:
    """`prompt` with what was wrong with an earlier answer, and that answer if it is short."""
    parts = [prompt, f"{_REFUSED} {problem}."]
    if answer.strip() and len(answer) <= _ANSWER_ROOM:
        parts.append(f"That answer was:\n{answer.strip()}")
    parts.append("Read the page again and reply with the whole JSON, without this mistake.")
    return "\n\n".join(parts)


def is_handed_back(prompt: str) -> bool:
    """Whether something was handed back with it."""
    return f"\n\n{_REFUSED} " in prompt
