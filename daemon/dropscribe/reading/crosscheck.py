"""Whether a second, independent engine found on a page what the model says stands there; pure.

It proves the presence of letters, neither their order nor the structure of a table: no verdict here ever says that a
text is correct. Thresholds were measured on 31 real pages, mostly of English print, with errors that were simulated.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dropscribe.reading.numbers import unsupported_numbers
from dropscribe.reading.support import Letters, gaps, joined_words, share, surplus_repeats
from dropscribe.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Name = Literal["verified", "check", "unverifiable"]

SURE_LINE = 0.8
"""Confidence of a line that counts; below are specks and rules taken for letters."""

SURE_PAGE = 0.93
"""Mean confidence, by letters, of an engine that can vouch for a page: handwriting and bad photos lie below."""

SHORTEST, LONGEST = 0.90, 1.20
"""Letters of the text by letters of the page; outside, something was left out or added."""

MOST_REPEATS = 0.05
_QUOTED = 200  # characters

LEAST_LETTERS = 20
"""With fewer letters on the page, a share of them says nothing."""

MOST_FOREIGN = 0.2
"""Share of letters in scripts that the embedded engine does not know."""

_KNOWN_SCRIPTS = ("LATIN", "CJK", "HIRAGANA", "KATAKANA", "FULLWIDTH", "HALFWIDTH")
_NOTHING = "the second engine found no text on the page"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the second engine read it; `sure` from 0 to 1."""

    text: str
    sure: float


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """`reason` says in words why there is nothing to compare, or what is wrong with all of the text.

    `unsupported`: passages of the text that were not found on the page; `missing`: lines of the page that are not in
    the text; `numbers`: those of the text that were not found. Shares from 0 to 1: `supported` of the text's letters
    were found on the page, `covered` of the page's are in the text; None where nothing could be compared.
    """

    name: Name
    reason: str = ""
    unsupported: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    supported: float | None = None
    covered: float | None = None

    @property
    def worth(self) -> tuple[bool, float, bool, int]:
        """Orders answers about one page: a higher one is better supported."""
        shares = [each for each in (self.supported, self.covered) if each is not None]
        lowest = round(min(shares), 2) if shares else -1.0
        return self.name == "verified", lowest, not self.reason, -len(self.numbers)

    def told(self) -> Iterator[str]:
        """For people, a sentence each; the longer quotes shortened."""
        if self.name == "verified":
            yield "every passage was also found by an independent engine"
        elif self.name == "unverifiable":
            yield f"could not be checked: {self.reason}"
        elif self.reason:
            yield f"to be checked: {self.reason}"
        for passage in self.unsupported:
            yield f'not found on the page: "{one_line(passage, _QUOTED)}"'
        for passage in self.missing:
            yield f'on the page, but not in the text: "{one_line(passage, _QUOTED)}"'
        if self.numbers:
            yield f"numbers that were not found on the page: {', '.join(self.numbers)}"


def cross_check(text: str, lines: Sequence[Line]) -> CrossCheck:
    """What the second engine's `lines` say about the `text` of the same page."""
    said, sure = Letters.of(joined_words(text)), sure_lines(lines)
    page = Letters.of(joined_words("\n".join(line.text for line in sure)))
    if doubt := no_vouching(text, lines):
        return CrossCheck("unverifiable", doubt)
    if not sure:
        return _of_blank(said)
    unsupported = tuple(said.passage(*gap) for gap in gaps(said, page))
    missing = tuple(page.passage(*gap) for gap in gaps(page, said))
    numbers = unsupported_numbers(text, (line.text for line in lines))
    reason = _as_a_whole(said, page)
    fine = not (unsupported or missing or numbers or reason)
    name: Name = "verified" if fine else "check"
    shares = share(said, page), share(page, said)
    return CrossCheck(name, reason, unsupported, missing, numbers, *shares)


def sure_lines(lines: Iterable[Line]) -> list[Line]:
    """Those that are no specks."""
    return [line for line in lines if line.sure >= SURE_LINE and line.text.strip()]


def no_vouching(text: str, lines: Sequence[Line]) -> str:
    """Why the second engine cannot vouch for this text or page; empty where it can."""
    if _foreign(Letters.of(text).letters) > MOST_FOREIGN:
        return "the second engine does not know this script"
    if sure_lines(lines) and _confidence(lines) < SURE_PAGE:
        return "the second engine was not sure enough of what it read, as with handwriting and bad photos"
    return ""


def _of_blank(said: Letters) -> CrossCheck:
    if not said:
        return CrossCheck("verified", supported=1.0, covered=1.0)
    if len(said) < LEAST_LETTERS:
        return CrossCheck("unverifiable", _NOTHING)
    return CrossCheck("check", _NOTHING, (said.passage(0, len(said)),), supported=0.0, covered=1.0)


def _confidence(lines: Iterable[Line]) -> float:
    """The mean by letters."""
    weights = [(len(line.text), line.sure) for line in lines]
    return sum(weight * sure for weight, sure in weights) / max(1, sum(weight for weight, _ in weights))


def _foreign(letters: str) -> float:
    foreign = sum(not _is_known(letter) for letter in letters)
    return foreign / max(1, len(letters))


def _is_known(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(_KNOWN_SCRIPTS)


def _as_a_whole(said: Letters, page: Letters) -> str:
    if len(page) < LEAST_LETTERS and len(said) < LEAST_LETTERS:
        return ""
    if surplus_repeats(said, page) >= MOST_REPEATS:
        return "passages stand there more often than on the page"
    ratio = len(said) / max(1, len(page))
    if ratio < SHORTEST:
        return f"the text has {len(said):,} letters, the page {len(page):,}"
    if ratio > LONGEST:
        return f"the text has {len(said):,} letters, the page only {len(page):,}"
    return ""
