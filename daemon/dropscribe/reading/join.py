"""The texts of consecutive bands become one text, with what two bands both saw kept once; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ALIKE = 0.75  # as alike are two readings of the same lines at least, on average
_CUT = 0.5  # as alike to the whole line is what was read of a part of it, at the edge of a band
_BOTH_CUT = 0.6  # on average of two lines, one cut by the band above and one by the band below
_OTHER_NUMBERS = 0.6  # times as alike: rows of a table may differ in nothing else
_ALONE = 0.2  # of the worth goes when only one line is alike, half of that when two are

_SHARED = 0.4  # of a band's lines may be in the next one too: a tenth of its height may be half of its text
_FEWEST = 6  # lines that are looked at in any case
_SKIPPED = 2  # lines at an edge that only one band has read
_LETTERS = 8  # in all: fewer may be alike by chance
_WORDS = 3  # in a row that are the same place in flowing text
_PARAGRAPH = 9  # words in one line: shorter ones are rows that may be alike without being the same
_STRAY = 12  # words at an edge that only one band has read: about a line

_MARKS = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d")
_ROW = re.compile(r"\s*\|.*\|\s*\Z")
_RULE = re.compile(r"\s*\|(\s*:?-+:?\s*\|)+\s*\Z")


@dataclass(frozen=True, slots=True)
class _Run:
    """`count` lines that both bands have, from `above` in the one and `below` in the other; blank ones left out."""

    above: int
    below: int
    count: int


def joined(parts: Sequence[str], overlaps: Sequence[float]) -> str:
    """The text of a page from those of its bands; `overlaps` says for each but the first which share of its rows
    is in the band before too. What is not clearly one line read twice stays twice: better so than lost.
    """
    text = ""
    for part, overlap in zip(parts, (0.0, *overlaps)[: len(parts)], strict=True):
        below = part.removesuffix("\n")
        if not text.strip() or not below.strip():
            text = below if below.strip() else text
        elif overlap:
            text = "\n".join(_merged(text.split("\n"), below.split("\n")))
        else:
            text = "\n".join([text, *_continued(text, below.split("\n"))])
    return text


def _continued(above: str, below: list[str]) -> list[str]:
    """A table goes on where it was cut: the rule that made its next row a heading goes."""
    if len(below) < 2 or not _RULE.match(below[1]):
        return below
    last = above.rpartition("\n")[2]
    if not _ROW.match(last) or last.count("|") != below[0].count("|"):
        return below
    is_heading = bool(below[0].strip(" |"))
    return [*below[:is_heading], *below[2:]]


def _merged(above: list[str], below: list[str]) -> list[str]:
    ours = [number for number, line in enumerate(above) if line.strip()]
    theirs = [number for number, line in enumerate(below) if line.strip()]
    run = _best_run([above[number] for number in ours], [below[number] for number in theirs])
    if run is None:
        return _flowing(above, below)
    # Each line from the band that has it further from its edge.
    half = (run.count + 1) // 2
    middle = [
        *above[ours[run.above] : ours[run.above + half - 1] + 1],
        *below[theirs[run.below + half - 1] + 1 : theirs[run.below + run.count - 1] + 1],
    ]
    if run.count == 1:
        middle = [max(above[ours[run.above]], below[theirs[run.below]], key=_weight)]
    skipped_below = [below[number] for number in theirs[: run.below]]
    skipped_above = [above[number] for number in ours[run.above + run.count :]]
    before = [above[number] for number in ours[max(0, run.above - run.below) : run.above]]
    after = [below[number] for number in theirs[run.below + run.count :]]
    return [
        *above[: ours[run.above]],
        *reversed(_uncut(skipped_below[::-1], before[::-1])),
        *middle,
        *_uncut(skipped_above, after),
        *below[theirs[run.below + run.count - 1] + 1 :],
    ]


def _uncut(lines: list[str], whole: list[str]) -> list[str]:
    """`lines` at the edge of one band, without those that are cut or worse readings of what the other has."""
    return [
        line
        for line, other in zip_longest(lines, whole[: len(lines)], fillvalue="")
        if _alike(line, other) < _CUT
    ]


def _best_run(above: Sequence[str], below: Sequence[str]) -> _Run | None:
    """The run of lines that both have, at the end of the one and at the beginning of the other."""
    worth = {run: _worth(above, below, run) for run in _possible(len(above), len(below))}
    best = max(worth, key=lambda run: (worth[run], run.count, -run.below), default=None)
    if best is None or worth[best] <= 0:
        return None
    # Lines that repeat fit in several ways: the one that drops the fewest of them loses none.
    equal = [run for run in worth if worth[run] >= worth[best] - _ALONE and _clean(above, below, run)]
    return min(equal, key=lambda run: (_dropped(run, len(above)), -worth[run]), default=best)


def _clean(above: Sequence[str], below: Sequence[str], run: _Run) -> bool:
    """Whether all lines of the run are the same letter by letter."""
    return above[run.above : run.above + run.count] == below[run.below : run.below + run.count]


def _dropped(run: _Run, above: int) -> int:
    """Lines that this run makes one of two, or that are taken for cut readings."""
    return run.count + run.below + (above - run.above - run.count)


def _possible(above: int, below: int) -> Iterator[_Run]:
    most = max(_FEWEST, round(_SHARED * min(above, below)))
    for count in range(1, min(most, above, below) + 1):
        for skipped in range(min(_SKIPPED, above - count) + 1):
            for start in range(min(_SKIPPED, below - count) + 1):
                yield _Run(above - count - skipped, start, count)


def _worth(above: Sequence[str], below: Sequence[str], run: _Run) -> float:
    """How sure it is that these are the same lines, 0 to 1; 0 when it is not."""
    ours = above[run.above : run.above + run.count]
    theirs = below[run.below : run.below + run.count]
    skips = run.below > 0 or run.above + run.count < len(above)
    if skips and sum(map(_weight, ours)) < _LETTERS:
        return 0.0
    likeness = [_alike(one, other) for one, other in zip(ours, theirs, strict=True)]
    mean = fmean(likeness)
    both_cut = run.count == 2 and not skips
    if min(likeness) < _CUT or mean < (_BOTH_CUT if both_cut else _ALIKE):
        return 0.0
    return mean * (1 - _ALONE / run.count)


@lru_cache(maxsize=4096)
def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    one, other = _MARKS.sub("", one.casefold()), _MARKS.sub("", other.casefold())
    if not one or not other:
        return 0.0
    alike = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return alike if _DIGITS.findall(one) == _DIGITS.findall(other) else alike * _OTHER_NUMBERS


def _weight(line: str) -> int:
    return len(_MARKS.sub("", line))


def _flowing(above: list[str], below: list[str]) -> list[str]:
    """Paragraphs that a model wrote as one line each: put together inside the line, at words that both have."""
    ours, theirs = above[-1].split(), below[0].split()
    if min(len(ours), len(theirs)) < _PARAGRAPH:
        return _parted(above, below)
    tail = ours[-4 * _STRAY :]
    matcher = SequenceMatcher(
        None, [word.casefold() for word in tail], [word.casefold() for word in theirs], autojunk=False
    )
    same = matcher.find_longest_match(bhi=min(len(theirs), 4 * _STRAY))
    left = len(tail) - same.a - same.size
    if same.size < _WORDS or left > _STRAY or same.b > _STRAY:
        return _parted(above, below)
    return [*above[:-1], " ".join([*ours[: len(ours) - left], *theirs[same.b + same.size :]]), *below[1:]]


def _parted(above: list[str], below: list[str]) -> list[str]:
    """Nothing is the same, but a blank line that both bands saw is one."""
    return [*above, *below] if below[0].strip() else [*"\n".join(above).rstrip().split("\n"), *below]
