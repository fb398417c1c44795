"""Ways into the folders of an inbox that no link can lead astray."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dropscribe.errors import world_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened_inbox(root: Path) -> Iterator[int]:
    """A descriptor of the inbox itself, which the config may name through a link; raises WorldWrong."""
    try:
        fd = os.open(root, _FOLDER)
    except OSError as error:
        raise world_wrong(error, root) from error
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def opened_folder(root: int, folder: Sequence[str]) -> Iterator[int]:
    """A descriptor of `folder` (its components) below the descriptor `root`, reached without following links.

    Raises OSError; ENOENT, ENOTDIR or ELOOP mean that the folder is no longer what it was.
    """
    if not {"", ".", ".."}.isdisjoint(folder):
        message = f"not a folder inside an inbox: {folder!r}"
        raise ValueError(message)
    fd = os.dup(root)
    try:
        for component in folder:
            inner = os.open(component, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield fd
    finally:
        os.close(fd)
