"""The names under which scan and texts are filed; pure."""

from __future__ import annotations

import re
import string
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

LIMIT = 255
"""Bytes in a file name, on nearly every file system."""

REASON = ".reason.txt"
"""What the reason file adds to the whole name of a failed scan."""

_LONGEST_SUFFIX = 32  # bytes; what stands behind the last dot of "Invoice no. 12 of the plumber" is no ending
_NAMELESS = "scan"
_OF_A_PAGE = ("page", "pages")
_HAS_ANSWER = "{field:"
_UNKNOWN = "unknown"
_LONGEST_ANSWER = 60  # bytes
_MEANS_MORE = re.compile(r'[/\\:*?"<>|]')
_ENDS = " .-"
_DEVICE = re.compile("con|prn|aux|nul|conin\\$|conout\\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[/\0]")
_NOT_A_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that os.fsencode refuses
_UNIQUE = re.compile(r"-[0-9a-f]{12}(?:-\d+)?(?:\.|\Z)")


# --- the wanted name


def stem_from(
    template: str,
    *,
    stem: str,
    ext: str,
    inbox: str,
    date: datetime,
    sha256: str,
    pages: int = 1,
    answer: Callable[[str], str] = lambda _: "",
) -> str:
    """The scan's part of the template with its fields filled in, made safe.

    Fields are {stem} {ext} {inbox} {date} {date:%Y-%m} {sha256}, {sha256:8}, the first 8 digits, {pages}, their
    number, and {field:vendor}, what `answer` knows under that name. Raises ValueError, with a reason for
    people, for a template that means anything else.
    """
    values = {
        "stem": stem,
        "ext": ext.removeprefix("."),
        "inbox": inbox,
        "sha256": sha256,
        "pages": str(pages),
    }
    parts = []
    for literal, field, spec, conversion in string.Formatter().parse(parted(template)[0]):
        parts.append(literal)
        if conversion:
            raise ValueError(f"{{{field}!{conversion}}}: nothing may follow the name of a field but a colon")
        if field == "date":
            parts.append(date.strftime(spec or "%Y-%m-%d"))
        elif field == "field":
            parts.append(from_answer(answer(spec or "")))
        elif field is not None:
            parts.append(_field(field, spec or "", values))
    name = safe("".join(parts))
    return _unreserved(name) if _HAS_ANSWER in template else name


def from_answer(text: str) -> str:
    """What a model wrote, as a part of a name: it may say anything, and never chooses a path.

    In order: NFC; controls, invisible and direction-changing characters and all blanks become one space; what
    Windows or a path gives a meaning becomes a dash; no spaces, dots or dashes at the ends; at most 60 bytes,
    cut between two characters; a name of a Windows device gets an underscore; nothing becomes `unknown`.
    """
    plain = unicodedata.normalize("NFC", text)
    spaced = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in plain)
    dashed = _MEANS_MORE.sub("-", " ".join(spaced.split())).strip(_ENDS)
    if not dashed:
        return _UNKNOWN
    return _unreserved(fit(dashed, "", _LONGEST_ANSWER).rstrip(_ENDS))


def _unreserved(stem: str) -> str:
    """A device of Windows is one with any ending."""
    first, dot, rest = stem.partition(".")
    return f"{first}_{dot}{rest}" if _DEVICE.fullmatch(first.strip()) else stem


def _field(field: str, spec: str, values: Mapping[str, str]) -> str:
    if field not in values:
        raise ValueError(f"{{{field}}} is unknown here")
    if not spec:
        return values[field]
    if field == "sha256" and re.fullmatch("[1-9][0-9]?", spec):
        return values[field][: int(spec)]
    raise ValueError(
        f"{{{field}:{spec}}}: only {{date:%Y-%m-%d}} and {{sha256:8}} take anything after a colon"
    )


def parted(template: str) -> tuple[str, str]:
    """The scan's part of a template and the page's part, which is empty where there is no {page}.

    The page's part is all that stands behind the last field that is about the scan.
    """
    pieces = list(string.Formatter().parse(template))
    fields = [field for _, field, *_ in pieces]
    if "page" not in fields:
        return template, ""
    others = [place for place, field in enumerate(fields, 1) if field is not None and field not in _OF_A_PAGE]
    end = others[-1] if others else 0
    return _written(pieces[:end]), _written(pieces[end:])


def _written(pieces: Iterable[tuple[str, str | None, str | None, str | None]]) -> str:
    """What `string.Formatter` takes apart, put together again."""
    parts = []
    for literal, field, spec, conversion in pieces:
        parts.append(literal.replace("{", "{{").replace("}", "}}"))
        if field is not None:
            how = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            parts.append(f"{{{field}{how}}}")
    return "".join(parts)


def page_name(part: str, page: int, pages: int) -> str:
    """A page's part of a template for page `page` of `pages`: numbers as wide as the last, so that they sort.

    Raises ValueError, with a reason for people, for a part that means anything else.
    """
    values = {"page": f"{page:0{len(str(pages))}}", "pages": str(pages)}
    parts = []
    for literal, field, spec, conversion in string.Formatter().parse(part):
        if conversion:
            raise ValueError(f"{{{field}!{conversion}}}: nothing may follow the name of a field here")
        parts += [literal, "" if field is None else _field(field, spec or "", values)]
    return _in_a_name("".join(parts))


def safe(stem: str) -> str:
    """`stem` as the start of a visible name in one folder; what may stand in a name is kept byte by byte."""
    return _in_a_name(stem).lstrip(".") or _NAMELESS


def _in_a_name(part: str) -> str:
    return _NOT_A_BYTE.sub("\ufffd", _NOT_IN_NAMES.sub("-", part))


def split(name: str) -> tuple[str, str]:
    """Stem and ending with its dot: ("scan.tar", ".gz"), ("noext", ""); joined they are `name` again."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or size(suffix) >= _LONGEST_SUFFIX:
        return name, ""
    return stem, dot + suffix


# --- lengths


def size(name: str) -> int:
    """Bytes of the name on disk."""
    return len(name.encode("utf-8", "surrogateescape"))


def fit(stem: str, longest_suffix: str, limit: int = LIMIT) -> str:
    """The stem, shortened between two characters so that with `longest_suffix` it has at most `limit` bytes.

    Raises ValueError where not even one character fits.
    """
    room = limit - size(longest_suffix)
    used = end = 0
    for char in stem:
        used += size(char)
        if used > room:
            break
        end += 1
    if not end:
        raise ValueError(f"no room for a name before {longest_suffix!r} in {limit} bytes")
    return stem[:end]


# --- free names


def numbered(stem: str, n: int) -> str:
    """`scan`, `scan-2`, `scan-3` …"""
    return stem if n == 1 else f"{stem}-{n}"


def free_stem(stem: str, taken: Callable[[str], bool], suffixes: Iterable[str]) -> str:
    """The first of stem, stem-2, stem-3 … that is not `taken`, shortened so that each of `suffixes` fits too.

    A stem is taken when any of its names is: the scan's or that of a text. `taken` is asked a number of times
    that grows only with the logarithm of the names in use. Gaps in the row may be passed over; the answer was
    free when it was asked about, and may be gone when it is used.
    """
    longest = max(suffixes, key=size, default="")

    def nth(n: int) -> str:
        number = numbered("", n)
        return fit(stem, number + longest) + number

    used, free = 0, 1
    while taken(nth(free)):
        used, free = free, free * 2
    while free - used > 1:
        middle = (used + free) // 2
        if taken(nth(middle)):
            used = middle
        else:
            free = middle
    return nth(free)


# --- names for file systems that cannot refuse to replace


def unique(name: str, token: str, room: str = "") -> str:
    """`name` with `token`, 12 random hexadecimal digits, before its ending: nobody else will hit upon it.

    `room` is as long as what may still be added, such as a number and REASON.
    """
    stem, suffix = split(name)
    return fit(stem, f"-{token}{suffix}{room}") + f"-{token}{suffix}"


def is_unique(name: str) -> bool:
    """Whether `name` came from `unique`, perhaps with a number or endings added since."""
    return _UNIQUE.search(name) is not None
