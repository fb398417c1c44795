"""Marks that document models write between the words, taken out: where something stands, and doctags; pure.

DeepSeek-OCR, asked for Markdown, puts a label and a box before each block; granite-docling answers in tags for
blocks, boxes and cells. A page that prints the same marks is not known to exist.
"""

from __future__ import annotations

import re

# <|ref|>title<|/ref|><|det|>[[52, 61, 480, 90]]<|/det|>
_GROUNDING = re.compile(r"<\|ref\|>[^<\n]{0,200}<\|/ref\|>\s*<\|det\|>[\[\]\d,\s]*<\|/det\|>[ \t]*\n?")

_DOCTAGS = re.compile(r"\s*<doctag>", re.IGNORECASE)
_PLACE = re.compile(r"<(?:loc_\d+|page_break)>")
_HEADING = re.compile(r"<(?:title|section_header_level_(\d))>\s*")
_ITEM = re.compile(r"\s*<list_item>\s*")
_BLOCK_END = re.compile(
    r"</(?:text|title|section_header_level_\d|paragraph|caption|code|formula|page_header|page_footer|footnote"
    r"|ordered_list|unordered_list|picture)>"
)
_TABLE = re.compile(r"<otsl>(.*?)(?:</otsl>|\Z)", re.DOTALL)
_CELL = re.compile(r"<(fcel|ecel|lcel|ucel|xcel|ched|rhed|srow|nl)>([^<]*)")
_ANY_TAG = re.compile(r"</?[a-z][a-z_]*\d*>")  # never a repeated group: without an end it would try for ever
_MANY_LINES = re.compile(r"\n{3,}")


def unmarked(text: str) -> str:
    """`text` without such marks; doctags become Markdown. Never raises, and leaves everything else as it is."""
    if _DOCTAGS.match(text):
        return _markdown(text)
    return _GROUNDING.sub("", text) if "<|det|>" in text else text


def _markdown(text: str) -> str:
    text = _PLACE.sub("", text)
    text = _TABLE.sub(lambda found: f"\n\n{_table(found[1])}\n\n", text)
    text = _HEADING.sub(lambda found: f"\n\n{'#' * (int(found[1] or 0) + 1)} ", text)
    text = _BLOCK_END.sub("\n\n", _ITEM.sub("\n- ", text))
    text = _ANY_TAG.sub("", text)
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip()


def _table(inside: str) -> str:
    """A Markdown table: of cells that span others, only the first has the words."""
    rows: list[list[str]] = [[]]
    for tag, words in _CELL.findall(inside):
        if tag == "nl":
            rows.append([])
        else:
            rows[-1].append(" ".join(words.split()).replace("|", "\\|"))
    rows = [row for row in rows if row]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * width}", *lines[1:]])
