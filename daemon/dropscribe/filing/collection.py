"""Lines of a collection: a table (CSV) or a list of objects (JSONL) to which each scan adds one; pure.

A line never has a line break inside, so that a row and a line are one. A table is written as RFC 4180 says, and
no cell begins as a formula does (owasp.org, CSV Injection).
"""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

from dropscribe.fields import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FILED_AS, FILED_AT = "filed_as", "filed_at"
"""The last two columns: the scan's name below the done folder, and when it came there."""

HEAD = 65536
"""Bytes of a file that are looked at for its header."""

_DELIMITERS = ",;\t"
_NEWLINE = "\r\n"
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\s]+")
_QUOTED = re.compile('[,;\t"]')
_MARK = "\ufeff"


def named(cells: Mapping[str, Any], filed_as: str, filed_at: str) -> dict[str, Any]:
    """`cells` and, last, where their scan went: what stands there shows that the whole line was written.

    Our own names give way to fields that have the same.
    """
    ours = {}
    for name, value in ((FILED_AS, filed_as), (FILED_AT, filed_at)):
        while name in cells:
            name = f"_{name}"  # noqa: PLW2901 - until it is free
        ours[name] = value
    return {**cells, **ours}


def header(row: Iterable[str], *, is_table: bool) -> bytes:
    """What a new file begins with."""
    return _line(list(row), ",", _NEWLINE) if is_table else b""


def is_blank(head: bytes) -> bool:
    """Whether nothing has been written into the file yet, but perhaps the mark that tells programs of UTF-8."""
    return not head.removeprefix(_MARK.encode()).strip()


def words(row: Mapping[str, Any], *, is_table: bool) -> list[bytes]:
    """What stands in the last two cells of this row's line, even after a program has written it anew."""
    last = list(row.values())[-2:]
    if is_table:
        return [_encoded(_plain(value).replace('"', '""')) for value in last]
    return [_encoded(_one_line_of_json(json.dumps(value, ensure_ascii=False))[1:-1]) for value in last]


def line(row: Mapping[str, Any], head: bytes, *, is_table: bool) -> bytes | None:
    """The line of a row for a file that begins with `head`, with the header where that is empty.

    A table keeps the order of its own columns, which may be more than the row has, its delimiter and its line
    ends. None if it lacks one of the row's columns.
    """
    if not is_table:
        text = json.dumps(dict(row), ensure_ascii=False)
        return _encoded(_one_line_of_json(text) + "\n")
    if is_blank(head):
        start = header(row, is_table=True)
        return start + _line(list(row.values()), ",", _NEWLINE)
    first, delimiter, newline = _header_of(head, [_plain(name) for name in row])
    if not first:
        return None
    known = {_plain(name): value for name, value in row.items()}
    return _line([known.get(name) for name in first], delimiter, newline)


def _header_of(head: bytes, wanted: Sequence[str]) -> tuple[list[str], str, str]:
    """The names in the header, its delimiter and line end; no names where one of `wanted` is missing."""
    first, newline, _ = head.partition(b"\n")
    try:
        text = first.decode().removeprefix(_MARK)
    except UnicodeDecodeError:
        return [], "", ""
    end = "\n" if newline and not text.endswith("\r") else _NEWLINE
    for delimiter in _DELIMITERS:
        try:
            names = next(csv.reader([text.rstrip("\r")], delimiter=delimiter), [])
        except csv.Error:
            continue
        if set(wanted) <= set(names):
            return names, delimiter, end
    return [], "", ""


def _line(values: Sequence[Any], delimiter: str, newline: str) -> bytes:
    return _encoded(delimiter.join(map(_cell, values)) + newline)


def _cell(value: Any) -> str:
    text = _plain(value)
    # Whatever may part cells somewhere is quoted: a program that takes it for one would begin a formula there.
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _plain(value: Any) -> str:
    """What a program reads in the cell of a value; a number stays one, whatever its sign."""
    text = _BREAKS.sub(" ", in_words(value)).strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def _one_line_of_json(text: str) -> str:
    """What some programs take for the end of a line stands as its number."""
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
