"""How well a text was read: error rate by letters, and share of the words that were found."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import numpy as np


class Score(NamedTuple):
    """`errors`: letters to change, to add or to take away, for each letter of the truth; `words`: share found."""

    errors: float
    words: float


def score(text: str, truth: str) -> Score:
    letters, true = plain(text), plain(truth)
    found, wanted = Counter(_words(text)), Counter(_words(truth))
    return Score(_distance(letters, true) / max(1, len(true)), (found & wanted).total() / wanted.total())


def plain(text: str) -> str:
    """In one line: where lines break is no error."""
    return " ".join(text.split())


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _distance(one: str, other: str) -> int:
    """Levenshtein's, a row at a time."""
    letters = np.array([ord(letter) for letter in other], dtype=np.int64)
    steps = np.arange(len(other) + 1)
    row = steps
    for number, letter in enumerate(one, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(np.concatenate(([number], best)) - steps) + steps
    return int(row[-1])
