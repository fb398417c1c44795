"""The reason file beside a failed scan, in plain words; pure."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe.words import bytes_in_words, duration_in_words, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 80
_QUOTE = "> "
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_TEXT_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TriedRecipe:
    """One try at one page: `verdict` is a sentence, `text` what was worth keeping of the answer."""

    page: int
    recipe: str
    verdict: str
    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a scan failed.

    `inbox` is the folder to which the scan is to be moved back, `at` an ISO 8601 time; `reason` and `fix` are
    those of the Failure. `retry_command`: say that `dropscribe retry` exists.
    """

    scan: str
    inbox: str
    at: str
    reason: str
    fix: str = ""
    size: int | None = None
    tries: tuple[TriedRecipe, ...] = ()
    retry_command: bool = False


def render_reason(facts: Reason) -> bytes:
    """Wrapped at 80 columns; the best answers come last, each line marked, so that none can pass for ours."""
    sections = (
        ("Why", _why(facts)),
        ("What was tried", _tried(facts.tries)),
        ("How to try again", _retry(facts)),
        ("The best answer so far", _best(facts.tries)),
    )
    lines = ["dropscribe could not read this scan.", "", *_head(facts)]
    for title, body in sections:
        if content := list(body):
            lines += ["", title, "-" * len(title), *content]
    return ("\n".join(lines) + "\n").encode()


def _head(facts: Reason) -> Iterator[str]:
    yield f"Scan   {shown(facts.scan)}"
    yield f"Inbox  {shown(facts.inbox)}"
    if facts.size is not None:
        yield f"Size   {bytes_in_words(facts.size)}"
    yield f"When   {shown(facts.at)}"


def _why(facts: Reason) -> Iterator[str]:
    yield from _wrapped(_sentence(facts.reason))
    if facts.fix:
        yield from _wrapped(_sentence(f"What helps: {facts.fix}"))


def _tried(tries: tuple[TriedRecipe, ...]) -> Iterator[str]:
    if not tries:
        yield "No model was asked."
    several = len({each.page for each in tries}) > 1 or any(each.page != 1 for each in tries)
    for number, each in enumerate(tries, 1):
        page = f"page {each.page}, " if several else ""
        took = duration_in_words(each.seconds)
        first = f"{number}. "
        yield from _wrapped(
            _sentence(f"{page}{each.recipe} ({took}): {each.verdict}"), first, " " * len(first)
        )


def _retry(facts: Reason) -> Iterator[str]:
    yield "Move the scan back into its inbox:"
    yield f"    {shown(facts.inbox)}"
    # A name that has to be shown in another form than it has cannot be typed from here.
    if facts.retry_command and shown(facts.scan) == facts.scan:
        dashes = "-- " if facts.scan.startswith("-") else ""
        yield "or run:"
        yield f"    dropscribe retry {dashes}{shlex.quote(facts.scan)}"


def _best(tries: tuple[TriedRecipe, ...]) -> Iterator[str]:
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
        if len(best) > 1:
            yield f"Page {page}:"
        yield from _marked(text)


def _marked(text: str) -> Iterator[str]:
    for line in _LINE_END.split(text.strip()):
        yield (_QUOTE + _TEXT_CONTROL.sub("\ufffd", line)).rstrip()


def _sentence(words: str) -> str:
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
