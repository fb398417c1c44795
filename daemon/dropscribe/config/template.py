"""The checks of `output.name` and `output.page_break`, the patterns of names and of breaks; pure."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from dropscribe.config.unfit import Unfit, listed, nearest
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    Piece = tuple[str, str | None, str | None, str | None]
    """What string.Formatter gives: literal, name of the field, what follows a colon, what follows a !."""

FIELDS = ("stem", "ext", "inbox", "date", "sha256", "pages", "page", "field")
_WRITTEN = {"field": "field:NAME"}
_BREAK_FIELDS = ("page", "pages")
_MEANT = {
    "name": "stem", "file": "stem", "filename": "stem", "basename": "stem", "title": "stem",
    "suffix": "ext", "extension": "ext", "folder": "inbox", "hash": "sha256", "digest": "sha256",
    "sha": "sha256", "now": "date", "today": "date", "time": "date:%H%M%S", "year": "date:%Y",
    "month": "date:%m", "day": "date:%d", "number": "page", "page_number": "page", "n": "page", "count":
    "pages", "total": "pages",
}  # fmt: skip
_WANTED = 'a name such as "{stem}"'
_WANTED_BREAK = 'a line such as "--- page {page} of {pages} ---"'
_LONGEST_PART = 60
"""Bytes of a page's part: what is left of the 255 of a name is for the scan's own."""
_DIRECTIVES = "YmdHMSyjGVuUWbBaAIp%"  # none that can give a slash or depends on more than the date
_ENDINGS = (".md", ".txt", ".json")


def check(text: Any) -> str:
    """The same text; raises Unfit."""
    pieces = _pieces(text, _WANTED)
    for literal, field, spec, conversion in pieces:
        _check_literal(literal)
        if field is not None:
            _check_field(field, spec or "", conversion)
    if text.startswith("."):
        raise Unfit("a name without a leading dot", "files with one are hidden")
    if text.lower().endswith(_ENDINGS):
        ending = text[text.rindex(".") :]
        raise Unfit("a name without its ending", f'leave out "{ending}", which output.format adds')
    _check_page(pieces)
    return str(text)


def check_break(text: Any) -> str:
    """The same text; raises Unfit."""
    pieces = _pieces(text, _WANTED_BREAK)
    if shown(text) != text:
        raise Unfit("a single line without control characters")
    for _, field, spec, conversion in pieces:
        if field is not None and field not in _BREAK_FIELDS:
            raise Unfit("the fields {page} or {pages}", _field_hint(field, _BREAK_FIELDS))
        if spec or conversion:
            raise Unfit(f"{{{field}}} alone", "nothing may follow its name")
    return str(text)


def has_page(text: str) -> bool:
    """Whether a checked name has {page} in it."""
    return any(field == "page" for _, field, *_ in string.Formatter().parse(text))


def fields_in(text: str) -> tuple[str, ...]:
    """The fields of an answer that a checked name asks for."""
    pieces = string.Formatter().parse(text)
    return tuple(spec or "" for _, field, spec, _ in pieces if field == "field")


def _pieces(text: Any, wanted: str) -> Sequence[Piece]:
    if not isinstance(text, str) or not text.strip():
        raise Unfit(wanted, _in_quotes(text))
    try:
        return list(string.Formatter().parse(text))
    except ValueError:
        raise Unfit(wanted, "each { needs its }; write {{ and }} for braces that are meant") from None


def _check_page(pieces: Sequence[Piece]) -> None:
    """{page} and what stands with it come last, because the scan is named without them."""
    fields = [field for _, field, *_ in pieces]
    if "page" not in fields:
        return
    others = [place for place, field in enumerate(fields) if field and field not in _BREAK_FIELDS]
    if not others:
        raise Unfit("a field for the scan in front of {page}", "for instance {stem}-{page}")
    if others[-1] > fields.index("page"):
        raise Unfit("{page} behind all other fields", "the scan itself is named without it")
    part = "".join(literal for literal, *_ in pieces[others[-1] + 1 :])
    if len(part.encode()) > _LONGEST_PART:
        raise Unfit(f"at most {_LONGEST_PART} bytes around {{page}}", "a name has room for 255 in all")


def _in_quotes(value: Any) -> str:
    return "put it in quotes" if isinstance(value, dict | int | float) else ""


def _check_literal(literal: str) -> None:
    if "/" in literal:
        raise Unfit("a name without a slash", "set output.folder to file into another folder")
    if not literal.isprintable():
        raise Unfit("a name without control characters")


def _check_field(field: str, spec: str, conversion: str | None) -> None:
    if field not in FIELDS:
        known = [f"{{{_WRITTEN.get(name, name)}}}" for name in FIELDS]
        raise Unfit(f"the fields {listed(known)}", _field_hint(field, FIELDS))
    if field == "sha256" and re.fullmatch("[1-9][0-9]?", spec) and not conversion:
        return
    if field == "field" and not conversion:
        if not spec.strip() or not spec.isprintable():
            raise Unfit("a field of the schema such as {field:vendor}", "its name follows the colon")
        return
    if field in _BREAK_FIELDS and (spec or conversion):
        raise Unfit(f"{{{field}}} alone", "numbers of pages are padded with zeros as far as needed")
    if conversion or (spec and field != "date"):
        raise Unfit(f"{{{field}}} alone", "only {date:%Y-%m-%d} and {sha256:8} take anything after a colon")
    directives = re.findall(r"%(.?)", spec)
    if spec and not (directives and all(letter and letter in _DIRECTIVES for letter in directives)):
        raise Unfit(
            "a date such as {date:%Y-%m-%d}", f"these letters are known: {' '.join(_DIRECTIVES[:-1])}"
        )
    _check_literal(spec)


def _field_hint(field: str, fields: Sequence[str]) -> str:
    meant = _MEANT.get(field.casefold(), "") or nearest(field, fields)
    if meant and meant.partition(":")[0] in fields:
        return f'did you mean "{{{meant}}}"?'
    return f"{{{shown(field[:40])}}} is unknown" if field else ""
