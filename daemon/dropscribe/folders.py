"""The folders that the daemon needs: made, and cleared of what a stop left, before the first look."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dropscribe.errors import WorldWrong, world_wrong
from dropscribe.file_scan import wanted_rights
from dropscribe.filer import rights_of
from dropscribe.filing import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from dropscribe.config.values import Config, Inbox


def prepare_state(config: Config) -> None:
    """The state folder, its spool empty. Raises WorldWrong."""
    _make(config.state, mode=0o700)
    spool = config.state / "spool"
    _make(spool, mode=0o700)
    try:
        leftovers = list(spool.iterdir())
    except OSError as error:
        raise world_wrong(error, spool) from error
    atomic.sweep(config.state)
    for leftover in leftovers:
        with suppress(OSError):  # whatever else somebody has put there does no harm
            leftover.unlink(missing_ok=True)


def _make(folder: Path, *, mode: int = 0o777) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except FileExistsError:
        raise WorldWrong(f"{folder}: expected a folder, found a file", "move it away") from None
    except FileNotFoundError:  # its parents are made too, so the file system itself does not want it
        words = f"{folder}: expected to make a folder, but none can be made there"
        raise WorldWrong(words, "name another folder in the config") from None
    except OSError as error:
        raise world_wrong(error, folder) from error


def prepare_inbox(inbox: Inbox) -> None:
    """Make the folders that filing needs: at start only, a folder that vanishes later is not made again.

    Outside the inbox only the last folder of a path is made: more of it may lie on a share that is not mounted,
    and would be made in its place. What is missing then parks the inbox until it is there.
    """
    if inbox.create:
        _make(inbox.path)
    collect = inbox.output.collect
    folders = dict.fromkeys(inbox.folders)
    # Elsewhere a collection's folder must be there: made on the bare mount point of a share it would be filled
    # there, and nothing would ever tell.
    if collect is not None and {inbox.path, inbox.done} & set(collect.parents):
        folders[collect.parent] = None
    for folder in folders:
        below = inbox.path if inbox.path in folder.parents else folder.parent
        with suppress(WorldWrong):
            atomic.make_folder(folder, below=below, rights=rights_of(inbox.path, wanted_rights(inbox)))
    # A stop in the middle of trying the rights leaves a hidden file in the inbox too.
    for folder in dict.fromkeys((*folders, inbox.path, *(() if collect is None else (collect.parent,)))):
        with suppress(WorldWrong):
            atomic.sweep(atomic.inside(folder, inbox.path))
