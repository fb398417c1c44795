"""The problems found so far, and how each becomes one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dropscribe.config.positions import Document, Key, Spot
from dropscribe.words import shown

if TYPE_CHECKING:
    from dropscribe.config.unfit import Unfit


class Findings:
    """Collects problems and warnings about one document; `file` is how people know it."""

    def __init__(self, file: str, document: Document) -> None:
        self._file = file
        self._document = document
        self._problems: dict[str, Spot | None] = {}
        self._warnings: dict[str, Spot | None] = {}
        self._broken: set[Key] = set()
        for spot, key, words in document.problems:
            self._broken.add(key)
            self._problems[self._line(spot, key, words)] = spot

    def problem(self, words: str, *keys: Key, at_key: bool = False) -> None:
        """`keys` are the places a value can come from, nearest first; the first that is given is named.

        A key that is given nowhere is placed at what encloses it. The same line is kept once.
        """
        key = self.given(*keys)
        self._broken.update({key, keys[0]})
        spot = self._spot(key, at_key=at_key)
        self._problems.setdefault(self._line(spot, key, words), spot)

    def unfit(self, unfit: Unfit, value: Any, *keys: Key) -> None:
        key = self.given(*keys)
        if value is None and key in self._broken:
            return  # it was more than nothing, and what is wrong with it has been told
        self.problem(unfit.sentence(value, self._document.raw.get(key)), *keys)

    def warning(self, words: str, *keys: Key) -> None:
        key = self.given(*keys) if keys else ()
        spot = self._spot(key, at_key=False) if keys else None
        self._warnings.setdefault(self._line(spot, key, words), spot)

    def given(self, *keys: Key) -> Key:
        """The first of `keys` that is in the document, else the first."""
        return next((key for key in keys if self._has(key)), keys[0])

    def broken(self, *keys: Key) -> bool:
        """Whether a problem lies at, in or around that of `keys` which is given: its value says nothing."""
        key = self.given(*keys)
        return any(key[: len(one)] == one or one[: len(key)] == key for one in self._broken if one)

    def problems(self) -> tuple[str, ...]:
        return _in_order(self._problems)

    def warnings(self) -> tuple[str, ...]:
        return _in_order(self._warnings)

    def _has(self, key: Key) -> bool:
        data = self._document.data
        for part in key:
            try:
                data = data[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def _spot(self, key: Key, *, at_key: bool) -> Spot | None:
        if at_key and key in self._document.keys:
            return self._document.keys[key]
        known = (key[:length] for length in range(len(key), -1, -1))
        return next((self._document.values[part] for part in known if part in self._document.values), None)

    def _line(self, spot: Spot | None, key: Key, words: str) -> str:
        place = f"{self._file}:{spot.line}:{spot.column}" if spot else self._file
        return shown(": ".join(part for part in (place, name(key), words) if part))


def name(key: Key) -> str:
    """`inboxes[1].output.name`."""
    parts = []
    for part in key:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        elif re.fullmatch(r"[\w-]+", part):
            parts.append(f".{part}")
        else:
            cut = part if len(part) <= 40 else part[:39] + "…"
            parts.append(f'["{cut}"]')
    return "".join(parts).removeprefix(".")


def _in_order(lines: dict[str, Spot | None]) -> tuple[str, ...]:
    """By place in the file; lines without a place first, in the order in which they were found."""
    return tuple(sorted(lines, key=lambda line: lines[line] or Spot(0, 0)))
