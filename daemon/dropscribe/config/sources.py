"""What a configuration names and where from: paths, and small files of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropscribe.config import paths
from dropscribe.config.unfit import Unfit, whole_path
from dropscribe.errors import world_wrong

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key

LARGEST = 1_000_000
"""Bytes of any file that a configuration names."""


@dataclass(frozen=True, slots=True)
class World:
    """Where relative paths start, what variables stand for, and whether folders must be there now."""

    base: Path
    env: Mapping[str, str]
    check_folders: bool = True


@dataclass(frozen=True, slots=True)
class Sources:
    """Finds what keys name; what is not there becomes a finding at the keys that name it."""

    world: World
    findings: Findings

    def absolute(self, text: str, base: Path, *keys: Key) -> Path | None:
        """The path that `text` means, relative ones from `base` on; None where it means none."""
        try:
            return paths.absolute(text, base, self.world.env)
        except Unfit as unfit:
            self.findings.unfit(unfit, text, *keys)
            return None

    def below(self, path: Path, text: str, otherwise: str, keys: tuple[Key, ...]) -> Path:
        """The same below an inbox, or its folder `otherwise`."""
        return self.absolute(text, path, *keys) or path / otherwise

    def file(self, text: str, at: tuple[Key, ...]) -> str | None:
        """What the file says; a problem at `at` where it cannot be read."""
        path = self.absolute(text, self.world.base, *at)
        try:
            if path and path.is_fifo():
                raise _not_text(path, "it is a pipe")  # which would be waited for
            return read_text(path) if path else None
        except Unfit as unfit:
            self.findings.unfit(unfit, text, *at)
            return None


def ways(number: int, *names: str) -> tuple[Key, ...]:
    """Where an inbox's value can come from."""
    return ("inboxes", number, *names), ("defaults", *names)


def read_text(path: Path) -> str:
    """The text of a small UTF-8 file; raises Unfit, whose hint says what is wrong with the file."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _not_text(path, why_unreadable(error)) from None
    if len(data) > LARGEST:
        raise _not_text(path, "it has more than 1 MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_text(path, "it is not UTF-8; save it as UTF-8") from None
    if not text.strip():
        raise _not_text(path, "it is empty")
    return text


def _not_text(path: Path, why: str) -> Unfit:
    return Unfit("a text file", why, whole_path(path))


def why_unreadable(error: OSError) -> str:
    """In words."""
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return world_wrong(error, "").reason.removeprefix(": ")
