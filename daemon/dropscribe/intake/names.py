"""Which names in an inbox are scans, and in plain words why the others are left alone; pure."""

from __future__ import annotations

import re
import unicodedata
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from dropscribe import formats

if TYPE_CHECKING:
    from collections.abc import Sequence

OUR_TEMPORARY = ".dropscribe-*"
OUR_REASONS = "*.reason.txt"
DO_NOT_ENTER = ".nowatch"
"""The file that tells to leave its folder alone, in the spirit of `.nomedia`."""

# After the exclude lists of nextcloud/desktop, syncthing, rclone, rsync, WinSCP, browsers and editors
_ARRIVING = (
    *("*.part", "*.partial", "*.filepart", "*.crdownload", "*.download", "*.opdownload", "*.tmp", "*.temp"),
    *("*.upload", "*.uploading", "*.incomplete", "*.!ut", "*.!qb", "*.bc!", "*.!sync", "*.aria2"),
    *("*-chunking-*-*-*", "~syncthing~*"),
)
_WORKING_COPIES = ("*.swp", "*.swx", "*.bak", "*.lock", "~$*", "#*#", "*~", "4913")
_SYSTEM = ("Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "SYNOFILE_THUMB*")
_FOLDERS = (
    *("@eaDir", "#recycle", "#snapshot", "@Recycle", "@tmp", "$RECYCLE.BIN", "__MACOSX", "lost+found"),
    "System Volume Information",
)
_BUILT_IN = (
    ((OUR_TEMPORARY,), "a temporary file of dropscribe"),
    ((OUR_REASONS,), "a reason file of dropscribe"),
    ((".*",), "hidden"),
    (_ARRIVING, "still being transferred ({})"),
    (_WORKING_COPIES, "a working copy of another program ({})"),
    (_SYSTEM, "a system file ({})"),
)
_ANY_BUILT_IN = tuple(glob for globs, _ in _BUILT_IN for glob in globs)


def why_ignored(name: str, *, patterns: Sequence[str] = ("*",), ignore: Sequence[str] = ()) -> str | None:
    """Why the file `name` ('/'-separated, relative to its inbox) is left alone, or None.

    A glob without '/' is compared with one component of the name: one of `ignore` with each of them, one
    of `patterns` with the last. A glob with '/' is compared with the whole name.
    """
    folder, _, last = name.rpartition("/")
    return (
        (why_not_entered(folder) if folder else None)
        or _built_in(last)
        or _unwanted(name, tuple(ignore))
        or (None if _fits(name, last, tuple(patterns)) else "does not match patterns")
    )


def why_not_entered(folder: str, *, ignore: Sequence[str] = ()) -> str | None:
    """Why the folder `folder` (relative to its inbox) is not entered, or None."""
    for component in folder.split("/"):
        if component.startswith("."):
            return "in a hidden folder"
        if glob := _matching(component, _FOLDERS):
            return f"in a system folder ({glob})"
    return _unwanted(folder, tuple(ignore))


def why_unsupported(name: str) -> str | None:
    """Why `name` cannot be a scan, or None: a name without ending may be one, its content decides."""
    ending = formats.ending(name)
    if not ending or formats.by_name(name):
        return None
    return f"*.{ending} is no format of scans; it is left where it is"


def _built_in(last: str) -> str | None:
    if not _matching(last, _ANY_BUILT_IN):
        return None
    return next(reason.format(glob) for globs, reason in _BUILT_IN if (glob := _matching(last, globs)))


def _unwanted(name: str, ignore: tuple[str, ...]) -> str | None:
    glob = _matching_part(name, ignore, name.split("/")) if ignore else None
    return f"ignored by the config ({glob})" if glob else None


def _fits(name: str, last: str, patterns: tuple[str, ...]) -> bool:
    return patterns == ("*",) or bool(_matching_part(name, patterns, [last]))


def _matching_part(name: str, globs: tuple[str, ...], parts: Sequence[str]) -> str | None:
    whole = tuple(glob for glob in globs if "/" in glob)
    single = tuple(glob for glob in globs if "/" not in glob)
    found = (_matching(part, single) for part in parts)
    return _matching(name, whole) or next((glob for glob in found if glob), None)


def _matching(name: str, globs: tuple[str, ...]) -> str | None:
    """The first of `globs` that fits, letter case and Unicode composition aside."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if not _compiled(globs).match(name):
        return None
    return next(glob for glob in globs if _compiled((glob,)).match(name))


@lru_cache(maxsize=256)
def _compiled(globs: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = "|".join(translate(unicodedata.normalize("NFC", glob)) for glob in globs)
    return re.compile(alternatives or "(?!)", re.IGNORECASE)
