"""Names, sizes, times and counts as people read them; pure."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_JOINERS = "\u200c\u200d"  # invisible, but Persian words and many emoji are spelt with them


def shown(name: str) -> str:
    r"""`name` on one line, harmless on a terminal and always encodable.

    Line breaks, controls, invisible and direction-changing characters become `\x0a` or `\u202e`; a byte that
    is not UTF-8 becomes `\xff`. Nothing else changes, so that shown twice is as shown once.
    """
    return "".join(char if _harmless(char) else _escaped(char) for char in name)


def _harmless(char: str) -> bool:
    return char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs"


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte of a name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def bytes_in_words(n: int) -> str:
    """`6,698 bytes`, `512 kB`, `2.1 MB`: thousands, not 1024s, as file managers and shops count."""
    if n < 10_000:
        return plural(n, "byte")
    size = n / 1000
    for unit in ("kB", "MB", "GB"):
        if float(f"{size:.3g}") < 1000:
            return f"{size:.2g} {unit}" if size < 10 else f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def duration_in_words(seconds: float) -> str:
    """`0.4 s`, `4 s`, `1 min 30 s`, `25 min`, `1 h 5 min`, `3 days 2 h`: two units at most."""
    if seconds < 0.95:
        return f"{max(seconds, 0.0):.1f} s"
    if (whole := round(seconds)) < 600:
        return _two(whole, 60, "min", "s")
    if (minutes := round(seconds / 60)) < 24 * 60:
        return _two(minutes, 60, "h", "min")
    days, hours = divmod(round(seconds / 3600), 24)
    return plural(days, "day") + (f" {hours} h" if hours else "")


def _two(n: int, per: int, large: str, small: str) -> str:
    whole, rest = divmod(n, per)
    parts = (f"{whole} {large}" if whole else "", f"{rest} {small}" if rest or not whole else "")
    return " ".join(part for part in parts if part)


def plural(n: int, one: str, many: str = "") -> str:
    """`1 scan`, `1,200 scans`; `many` where an s at the end is not enough."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def numbers_in_words(numbers: Iterable[int]) -> str:
    """`7`, `7 and 9`, `2, 7 and 12 to 14`: each once, in order, three or more in a row as their ends."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    parts = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(n) for n in run]
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def one_line(text: str, limit: int) -> str:
    """`text` of strangers as one line of printable characters, at most `limit` of them."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * limit]).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
