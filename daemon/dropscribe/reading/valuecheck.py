"""Whether a second engine found on a page the values of a JSON answer; pure.

An answer of fields is no text of the page: it leaves out most of it and may say it in another order, so only what it
says is looked for. Words that a schema offers to choose from stand on no page: who uses such fields has them marked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropscribe.reading.crosscheck import CrossCheck, no_vouching, sure_lines
from dropscribe.reading.numbers import unsupported_numbers
from dropscribe.reading.support import RUN, Letters, joined_words, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropscribe.reading.crosscheck import Line

_LEAST = 0.5  # of a value's letters have to be found


def value_check(answer: str, lines: Sequence[Line]) -> CrossCheck:
    """What the second engine's `lines` say about the strings and numbers in the JSON of `answer`."""
    texts, numbers = _values(answer)
    if not (texts or numbers):
        return CrossCheck("unverifiable", "there is no value in the answer that could be looked for")
    if doubt := no_vouching("\n".join(texts), lines):
        return CrossCheck("unverifiable", doubt)
    page = Letters.of(joined_words("\n".join(line.text for line in sure_lines(lines))))
    known = [(Letters.of(text), text) for text in texts]
    unsupported = tuple(text for letters, text in known if not _is_found(letters, page))
    written = "\n".join([*(text for text in texts if text not in unsupported), *numbers])
    missed = unsupported_numbers(written, (line.text for line in lines))
    shares = [(len(letters), share(letters, page)) for letters, _ in known if len(letters) >= RUN]
    supported = sum(count * part for count, part in shares) / max(1, sum(count for count, _ in shares))
    return CrossCheck(
        "check" if unsupported or missed else "verified",
        unsupported=unsupported,
        numbers=missed,
        supported=supported if shares else 1.0,
    )


class _Number(str):
    """As it was written: 12.50 has a digit more than 12.5."""

    __slots__ = ()


def _is_found(letters: Letters, page: Letters) -> bool:
    """Of words with few letters all must stand there in a row."""
    if len(letters) < RUN:
        return letters.letters in page.letters
    return share(letters, page) >= _LEAST


def _values(answer: str) -> tuple[list[str], list[str]]:
    """The strings and the numbers, as JSON writes them."""
    texts: list[str] = []
    numbers: list[str] = []
    if not answer.strip():  # a page without text
        return texts, numbers
    for value in _leaves(json.loads(answer, parse_int=_Number, parse_float=_Number)):
        if isinstance(value, _Number):
            numbers.append(value.removesuffix(".0"))
        elif isinstance(value, str) and value.strip():
            texts.append(value)
    return texts, numbers


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for held in value.values():
            yield from _leaves(held)
    elif isinstance(value, list):
        for held in value:
            yield from _leaves(held)
    else:
        yield value
