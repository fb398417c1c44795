"""The check of `output.name`, the pattern from which names of texts are made; pure."""

from __future__ import annotations

import re
import string
from typing import Any

from dropscribe.config.unfit import Unfit, listed, nearest
from dropscribe.words import shown

FIELDS = ("stem", "ext", "inbox", "date", "sha256")
_MEANT = {
    "name": "stem", "file": "stem", "filename": "stem", "basename": "stem", "title": "stem",
    "suffix": "ext", "extension": "ext", "folder": "inbox", "hash": "sha256", "digest": "sha256",
    "sha": "sha256", "now": "date", "today": "date", "time": "date:%H%M%S", "year": "date:%Y",
    "month": "date:%m", "day": "date:%d",
}  # fmt: skip
_WANTED = 'a name such as "{stem}"'
_DIRECTIVES = "YmdHMSyjGVuUWbBaAIp%"  # none that can give a slash or depends on more than the date
_ENDINGS = (".md", ".txt", ".json")


def check(text: Any) -> str:
    """The same text; raises Unfit."""
    if not isinstance(text, str) or not text.strip():
        raise Unfit(_WANTED, _in_quotes(text))
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError:
        raise Unfit(_WANTED, "each { needs its }; write {{ and }} for braces in the name") from None
    for literal, field, spec, conversion in pieces:
        _check_literal(literal)
        if field is not None:
            _check_field(field, spec or "", conversion)
    if text.startswith("."):
        raise Unfit("a name without a leading dot", "files with one are hidden")
    if text.lower().endswith(_ENDINGS):
        ending = text[text.rindex(".") :]
        raise Unfit("a name without its ending", f'leave out "{ending}", which output.format adds')
    return text


def _in_quotes(value: Any) -> str:
    return "put it in quotes" if isinstance(value, dict | int | float) else ""


def _check_literal(literal: str) -> None:
    if "/" in literal:
        raise Unfit("a name without a slash", "set output.folder to file into another folder")
    if not literal.isprintable():
        raise Unfit("a name without control characters")


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in FIELDS:
        raise Unfit(f"the fields {listed([f'{{{name}}}' for name in FIELDS])}", _field_hint(field))
    if field == "sha256" and re.fullmatch("[1-9][0-9]?", spec) and not conversion:
        return
    if conversion or (spec and field != "date"):
        raise Unfit(f"{{{field}}} alone", "only {date:%Y-%m-%d} and {sha256:8} take anything after a colon")
    directives = re.findall(r"%(.?)", spec)
    if spec and not (directives and all(letter and letter in _DIRECTIVES for letter in directives)):
        raise Unfit(
            "a date such as {date:%Y-%m-%d}", f"these letters are known: {' '.join(_DIRECTIVES[:-1])}"
        )
    _check_literal(spec)


def _field_hint(field: str) -> str:
    meant = _MEANT.get(field.casefold()) or nearest(field, FIELDS)
    if meant:
        return f"did you mean {{{meant}}}?"
    return f"{{{shown(field[:40])}}} is unknown" if field else ""
