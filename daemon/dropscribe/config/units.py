"""Durations such as `1h30m` and sizes such as `50MB`: from text to numbers; pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from dropscribe.config.unfit import Unfit

_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?) *"
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}  # in milliseconds

DURATION = "^(?=.)" + "".join(f"(?:{_NUMBER}{unit} *)?" for unit in _UNITS) + "$"
"""Regular expression (also ECMA 262) of every duration: each unit at most once, larger before smaller."""

_FACTORS = {f"{prefix}B": 1000**power for power, prefix in enumerate(("", "k", "M", "G", "T"))} | {
    f"{prefix}iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T"), 1)
}
_BY_NAME = {name.casefold(): factor for name, factor in _FACTORS.items()}

SIZE = r"^([0-9]{1,16}(?:\.[0-9]{1,9})?) *([kKmMgGtT][iI]?)?[bB]$"
"""Regular expression (also ECMA 262) of every size."""


def parse_duration(text: Any) -> float:
    """`500ms`, `5s`, `1h30m` in seconds; raises Unfit."""
    found = re.fullmatch(DURATION, text) if isinstance(text, str) else None
    if found is None:
        raise Unfit("a duration such as 5s", _duration_hint(text))
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    return float(sum(Decimal(number) * unit for number, unit in parts if number) / 1000)


def _duration_hint(value: Any) -> str:
    plain = str(value).strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", plain):
        return f"add a unit: {plain}s, {plain}m or {plain}h"
    if clock := re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", plain):
        return "write {0}m{1}s or {0}h{1}m".format(*(int(part) for part in clock.groups()))
    return ""


def parse_size(text: Any) -> int:
    """`50MB`, `2GiB` in bytes, rounded down; raises Unfit."""
    found = re.fullmatch(SIZE, text) if isinstance(text, str) else None
    if found is None:
        raise Unfit("a size such as 50MB", _size_hint(text))
    unit = f"{found[2] or ''}B".casefold()
    return int(Decimal(found[1]) * _BY_NAME[unit])


def _size_hint(value: Any) -> str:
    found = re.fullmatch(r"([0-9]{1,15})( *)([kmgt]?)", str(value).strip().casefold())
    if found is None:
        return ""
    return f"add the unit: {found[1]}{(found[3] or 'm').upper().replace('K', 'k')}B"
