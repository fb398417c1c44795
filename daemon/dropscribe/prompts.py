"""What the model is asked when the user does not say; pure."""

from __future__ import annotations

NO_TEXT = "[no text]"
"""The whole answer to a page without text."""

ILLEGIBLE = "[illegible]"
"""Stands where a word cannot be read."""

# No sample of a transcription anywhere below: models copy samples into their answers.
PLAIN = f"""\
Transcribe all text on this page exactly as it stands, in reading order.
Keep the original language, spelling (wrong spelling too), numbers, punctuation and line breaks.
Do not translate, correct, summarise, explain or add anything.
Write {ILLEGIBLE} where a word cannot be read; do not guess.
If there is no text on the page, reply with exactly: {NO_TEXT}"""

MARKDOWN = f"""\
{PLAIN}
Use Markdown headings, lists and tables only where the page itself has headings, lists and tables.
No code fence around the answer."""

FILL = """\
Read this page and fill in the JSON schema from what is printed or written on it.
Copy names, numbers, dates and amounts exactly as they stand; do not translate, correct, convert or calculate.
Use null for everything that is not on the page or cannot be read; do not guess.
Reply with the JSON only."""


def default(output_format: str, *, schema: bool) -> str:
    """The prompt for an inbox that has none of its own; `output_format` is markdown, text or json."""
    if output_format == "json" and schema:
        return FILL
    return MARKDOWN if output_format == "markdown" else PLAIN
