"""Paths as people write them, made absolute; and which folder lies in which."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe.config.unfit import Unfit, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

Identity = tuple[int, int] | str
"""A folder that exists is known by device and inode, whatever it is called; another by its real path."""


def absolute(text: str, base: Path, env: Mapping[str, str]) -> Path:
    """`~`, `$VARIABLE`, `${VARIABLE}` and `$$` expanded, from `base` on, links kept; raises Unfit."""
    path = base / _with_home(_with_variables(text, env), env)
    short = os.path.normpath(path)
    # "link/.." may lead elsewhere than its letters say
    return Path(short) if os.path.realpath(short) == os.path.realpath(path) else path


def _with_variables(text: str, env: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        if not env.get(name):
            raise Unfit(f"${name} to be set", "set it, or write $$ for a dollar sign")
        return env[name]

    filled = re.sub(r"\$(?:\$|(\w+)|\{(\w+)\})", value, text)
    if "\0" in filled:
        raise Unfit("a path", "it holds a NUL character")
    return filled


def _with_home(text: str, env: Mapping[str, str]) -> str:
    if not text.startswith("~"):
        return text
    who, slash, rest = text.partition("/")
    home = env.get("HOME") if who == "~" else None
    found = home or os.path.expanduser(who)  # noqa: PTH111 - Path's raises
    if found.startswith("~"):
        raise Unfit("a home folder", f"there is no user {who[1:]}" if who != "~" else "HOME is not set")
    if home == "" or not found.startswith("/"):
        raise Unfit(
            "a home folder", "HOME is empty" if not home else f"HOME is {quoted(home)}, no absolute path"
        )
    return f"{found}{slash}{rest}"


def identity(path: Path) -> Identity:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return stat.st_dev, stat.st_ino


def ancestry(path: Path) -> tuple[Identity, ...]:
    """The folder itself, then all that it really lies in, up to the root."""
    real = Path(os.path.realpath(path))
    return tuple(identity(one) for one in (real, *real.parents))
