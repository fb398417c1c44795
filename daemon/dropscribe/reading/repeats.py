"""How much of a text repeats itself, at the end of a stream and as a whole; pure.

Pages repeat too: dot leaders, blank cells, a refrain, the rows of a form. So both measures leave room for
what a page can hold and look for what only a model does (ollama#16892, #17113; QwenLM/Qwen3-VL#1611).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_BACK = 8000
"""Characters of an answer's end that `runaway` wants to see: four times a unit of up to 2000, half a page."""

LOOK_BACK_IN_JSON = 4 * LOOK_BACK
"""The same where the answer is JSON, of which most may be names."""

REPEATS = 0.3
"""The share of surplus words above which a text is a loop: a hymn of five verses with its refrain has 0.2."""

_TIMES = 4
_LETTERS = 400  # what a circle must fill: a typing exercise that repeats one sentence four times stays below
# Rows of a form are alike: "Yes No", "☐ yes ☐ no ☐ n/a", "Date: ____ Name: ____ Signature: ____".
_ROW_LETTERS = 30
_ROW_WORDS = 2
_TO_FILL_IN = re.compile(r"[_:|…☐□○◯]|\.\.\.|--|\[ ?\]|\( ?\)")
_ROWS = 60  # more than a page has
# Dot leaders, lines to write on, cells of dashes or zeros: more than any page has rows or cells in a row.
_FILLER_ROWS = 150
_FILLER_TIMES = 300

_FIRST_OF_CJK = "\u3040"
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W_]+")
_TAG = re.compile(r"<[^<>\n]*>")
_CUT_TAG = re.compile(r"\A[^<>]*>|<[^<>]*\Z")  # a unit may begin in the middle of one
_KEY = 16  # characters: long enough to be rare in prose

_PASSAGE = 12  # words; phrases that a page repeats are shorter
_FREE = 3  # a passage that stands three times on a page is honest
_LABELS = 12  # a sheet of labels or tickets: the same line, one below the other
_FEWEST = 20  # words that must be surplus at all: below, a loop does no harm

_STEP = 128

# A string may lack its end: a pattern that wants one would look for it from every quotation mark on.
_PART_OF_JSON = re.compile(r'("(?:[^"\\]|\\.)*(?:"|\\?\Z))(\s*:)?|\bnull\b|[,{}\[\]]', re.DOTALL)
_NAME, _COMMA = "\x00", "\x01"
_NEXT_NAME = re.compile(f"{_COMMA}\\s*{_NAME}")
_NEXT_ITEM = re.compile(f"[{_COMMA}\\n]\\s*")
_NAMELESS = 1000  # characters of a value that is a long text
_END_OF_NAME = re.compile(r'"\s*:')


def runaway(tail: str) -> bool:
    """Whether an answer that ends in `tail` goes round in a circle; costs microseconds on ordinary text."""
    return any(_goes_round(tail, period) for period in _periods(tail))


def said_in_json(text: str, *, null: str = "-") -> str:
    """What JSON says, or the beginning of some, an object on a line: its names stand there again for every one.

    `null` stands for that word: a dash says nothing.
    """

    def marked(part: re.Match[str]) -> str:
        if part[1]:
            return _NAME if part[2] else part[1]
        return {",": _COMMA, "null": null}.get(part[0], "\n")

    found = _PART_OF_JSON.sub(marked, text)
    return _NEXT_ITEM.sub("\n", _NEXT_NAME.sub(" ", found)).replace(_NAME, "")


def runaway_json(tail: str) -> bool:
    """`runaway` for JSON, whose names count for nothing: a receipt may have a dozen equal items."""
    name = _END_OF_NAME.search(tail)
    if name is None or not _END_OF_NAME.search(tail, len(tail) - _NAMELESS):
        return runaway(tail[-LOOK_BACK:])  # within one text, or in blanks, or in brackets
    # The beginning may be missing: from the end of a name on it is known what is in quotes.
    return runaway(said_in_json(tail[name.end() :], null="null")[-LOOK_BACK:])


def surplus(text: str) -> float:
    """The share of words, 0 to 1, in passages of twelve words that already stood there often enough.

    Zeros, marks in cells, and whatever has neither letter nor digit, count for nothing.
    """
    words: list[str] = []
    free: list[int] = []  # for each word, how often a passage may stand there that begins or ends with it
    lines = [line for line in _TAG.sub(" ", text.casefold()).split("\n") if line.strip()]
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        words += (found := _words(line))
        honest = _ROWS if _is_form_row(line) else _LABELS if line in (before, after) else _FREE
        free += [honest] * len(found)
    seen: Counter[tuple[str, ...]] = Counter()
    covered = until = 0
    for start in range(len(words) - _PASSAGE + 1):
        end = start + _PASSAGE
        passage = tuple(words[start:end])
        seen[passage] += 1
        if seen[passage] > min(free[start], free[end - 1]):
            covered += end - max(start, until)
            until = end
    return covered / len(words) if covered >= _FEWEST else 0.0


def loops(text: str, repeats: float) -> bool:
    """Whether `text` would have been cut as runaway or has a surplus above `repeats`; never if that is 1."""
    if repeats >= 1:
        return False
    ends = (*range(_STEP, len(text), _STEP), len(text))
    return surplus(text) > repeats or any(runaway(text[max(0, end - LOOK_BACK) : end]) for end in ends)


def _periods(tail: str) -> Iterator[int]:
    """The distances at which the last characters stood before, nearest first."""
    key = tail[-_KEY:]
    last = at = len(tail) - _KEY
    first = max(0, last - len(tail) // _TIMES)
    while at > first and (at := tail.rfind(key, first, at + _KEY - 1)) >= 0:
        yield last - at


def _goes_round(tail: str, period: int) -> bool:
    if tail[-_TIMES * period : -period] != tail[(1 - _TIMES) * period :]:
        return False
    length = period * _times_beyond_a_page(tail[-period:])
    return length <= len(tail) and tail[-length:-period] == tail[period - length :]


def _times_beyond_a_page(unit: str) -> int:
    words = _words(_CUT_TAG.sub(" ", _TAG.sub(" ", unit)))
    before, is_row, after = unit.partition("\n")
    if not words:
        return _FILLER_ROWS if is_row else _FILLER_TIMES
    rows = f"{after}{before}".split("\n")
    if is_row and all(_is_form_row(row) for row in rows):
        return max(_TIMES, -(-_ROWS // len(rows)))
    return max(_TIMES, -(-_LETTERS // sum(map(len, words))))


def _is_form_row(line: str) -> bool:
    words = _words(line)
    if len(words) <= _ROW_WORDS:
        return True
    return sum(map(len, words)) <= _ROW_LETTERS and _TO_FILL_IN.search(line) is not None


def _words(text: str) -> list[str]:
    """Without zeros and without single letters and digits, which mark a cell: x, o, 1."""
    return [
        word for word in _WORD.findall(text) if word.strip("0") and (len(word) > 1 or word >= _FIRST_OF_CJK)
    ]
