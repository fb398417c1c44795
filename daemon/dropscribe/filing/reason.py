"""The reason file beside a failed scan, in plain words; pure."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe.filing.pages import remark
from dropscribe.words import bytes_in_words, duration_in_words, numbers_in_words, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.filing.pages import PageText

_WIDTH = 80
_QUOTE = "> "
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_PLAIN_WORD = re.compile(r"[a-z]+(?:[ ,]|\.?\Z)")  # and not a name such as qwen3.5:4b or /home
_TEXT_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TriedRecipe:
    """One try at one page: `verdict` is a sentence, `text` what was worth keeping of the answer.

    `name` is the verdict's short name, the word to look for in the documentation.
    """

    page: int
    recipe: str
    verdict: str
    seconds: float
    text: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a scan failed.

    `inbox` is the folder to which the scan is to be moved back, `at` an ISO 8601 time; `reason` and `fix` are
    those of the Failure. `retry_command`: say that `dropscribe retry` exists. `pages`: how many the scan has,
    as far as that is known; `kept`: those that were read all the same.
    """

    scan: str
    inbox: str
    at: str
    reason: str
    fix: str = ""
    size: int | None = None
    tries: tuple[TriedRecipe, ...] = ()
    retry_command: bool = False
    pages: int = 1
    kept: tuple[PageText, ...] = ()


def render_reason(facts: Reason) -> bytes:
    """Wrapped at 80 columns; what models wrote comes last, each line marked, so that none can pass for ours."""
    bad = _bad_pages(facts)
    tries = tuple(each for each in facts.tries if each.page in bad)
    sections = (
        ("Why", _why(facts, bad)),
        ("What was tried", _tried(tries, bad, facts)),
        ("How to try again", _retry(facts)),
        ("The best answer so far", _best(tries, facts)),
        ("The pages that were read", _kept(facts.kept)),
    )
    how_much = "Only a part of this scan could" if facts.kept else "This scan could not"
    lines = [f"{how_much} be read by dropscribe.", "", *_head(facts)]
    for title, body in sections:
        if content := list(body):
            lines += ["", title, "-" * len(title), *content]
    return ("\n".join(lines) + "\n").encode()


def _bad_pages(facts: Reason) -> set[int]:
    """What was not read: the tries at a page that was read in the end are no part of why the scan failed."""
    known = {*range(1, facts.pages + 1), *(each.page for each in facts.tries)}
    return known - {page.number for page in facts.kept}


def _head(facts: Reason) -> Iterator[str]:
    yield f"Scan   {shown(facts.scan)}"
    yield f"Inbox  {shown(facts.inbox)}"
    if facts.pages > 1:
        yield f"Pages  {facts.pages:,}"
    if facts.size is not None:
        yield f"Size   {bytes_in_words(facts.size)}"
    yield f"When   {shown(facts.at)}"


def _why(facts: Reason, bad: set[int]) -> Iterator[str]:
    if facts.kept and bad:
        yield from _wrapped(f"{_pages(bad)} of {facts.pages:,} could not be read.")
    elif facts.pages > 1 and facts.tries:
        yield f"None of its {facts.pages:,} pages could be read."
    yield from _wrapped(_sentence(facts.reason))
    if facts.fix:
        yield from _wrapped(_sentence(f"What helps: {facts.fix}"))


def _pages(numbers: set[int]) -> str:
    return f"{'Page' if len(numbers) == 1 else 'Pages'} {numbers_in_words(numbers)}"


def _tried(tries: tuple[TriedRecipe, ...], bad: set[int], facts: Reason) -> Iterator[str]:
    unasked = bad - {each.page for each in tries}
    if not tries and not facts.kept:
        yield "No model was asked."
    elif unasked and facts.pages > 1:
        yield from _wrapped(f"No model was asked about {_pages(unasked).lower()}.")
    for number, each in enumerate(tries, 1):
        page = f"Page {each.page}, " if _several(tries, facts) else ""
        took = duration_in_words(each.seconds)
        first = f"{number}. "
        name = f"{each.name}: " if each.name else ""
        yield from _wrapped(
            _stopped(f"{page}{each.recipe} ({took}): {name}{each.verdict}"), first, " " * len(first)
        )


def _several(tries: tuple[TriedRecipe, ...], facts: Reason) -> bool:
    return facts.pages > 1 or any(each.page != 1 for each in tries)


def _retry(facts: Reason) -> Iterator[str]:
    yield "Move the scan back into its inbox:"
    yield f"    {shown(facts.inbox)}"
    # A name that has to be shown in another form than it has cannot be typed from here.
    if facts.retry_command and shown(facts.scan) == facts.scan:
        dashes = "-- " if facts.scan.startswith("-") else ""
        yield "or run:"
        yield f"    dropscribe retry {dashes}{shlex.quote(facts.scan)}"
    if facts.kept:
        yield "The pages that were read are kept: a retry asks only for the others."


def _best(tries: tuple[TriedRecipe, ...], facts: Reason) -> Iterator[str]:
    """Of each page the longest answer that was kept."""
    best: dict[int, str] = {}
    for each in tries:
        if len(each.text.strip()) > len(best.get(each.page, "").strip()):
            best[each.page] = each.text
    if best:
        yield from _wrapped(
            f'It was not good enough to be filed as text. Each of its lines starts with "{_QUOTE}".'
        )
    for page, text in sorted(best.items()):
        yield ""
        if _several(tries, facts):
            yield f"Page {page}:"
        yield from _marked(text)


def _kept(pages: tuple[PageText, ...]) -> Iterator[str]:
    if pages:
        yield f'Each line of their texts starts with "{_QUOTE}".'
    for page in pages:
        yield ""
        note = f" ({remark(page)})" if page.note else ""
        if page.text.strip():
            yield from _wrapped(f"Page {page.number}{note}:")
            yield from _marked(page.text)
        else:
            yield from _wrapped(f"Page {page.number} has no text{note}.")


def _marked(text: str) -> Iterator[str]:
    for line in _LINE_END.split(text.strip()):
        yield (_QUOTE + _TEXT_CONTROL.sub("\ufffd", line)).rstrip()


def _sentence(words: str) -> str:
    line = _stopped(words)
    return line[0].upper() + line[1:] if _PLAIN_WORD.match(line) else line


def _stopped(words: str) -> str:
    line = shown(" ".join(words.split()))
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
