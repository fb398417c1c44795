"""A value that is not what its key wants, put into words; pure."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST = 60


class Unfit(ValueError):
    """A value that is not what its key wants.

    `what` completes "expected …", `hint` says how to write it, `got` hides a value that must not be shown.
    """

    def __init__(self, what: str, hint: str = "", got: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.got = got

    def sentence(self, value: Any, raw: str | None = None) -> str:
        """One line; `raw` is how the file writes the value."""
        told = f"expected {self.what}, got {self.got or in_words(value, raw)}"
        hint = (
            "a lone ~ means nothing in YAML, put it in quotes" if value is None and raw == "~" else self.hint
        )
        return f"{told}; {hint}" if hint else told


def in_words(value: Any, raw: str | None = None) -> str:
    """The value as its writer would recognise it: text in quotes, anything else as `raw` or as YAML."""
    if value is None:
        return raw if raw in {"~", "null"} else "nothing"
    if isinstance(value, str):
        return quoted(value)
    if raw:
        return shown(raw)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return "keys and values" if isinstance(value, dict) else "a list"
    return shown(repr(value)[:_LONGEST])


def quoted(text: str) -> str:
    """In double quotes, cut after sixty characters, safe for a terminal."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return '"' + shown(cut) + '"'


def whole_path(path: object) -> str:
    """In double quotes too, but never cut: the end of a path is what tells."""
    return f'"{shown(str(path))}"'


def listed(names: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant: `frontMatter` and `fromt-matter` are `front_matter`."""
    plain = {_plain(name): name for name in known}
    close = difflib.get_close_matches(_plain(word[:_LONGEST]), plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "").replace(" ", "").casefold()
