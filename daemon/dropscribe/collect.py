"""Collections: the rows that filed scans owe to them, each written exactly once, whenever that can be.

A row is owed from the moment at which its scan is filed, which is one transaction of the ledger. Where it is about
to stand is in the ledger before it is written, so a stop at any moment leaves one of three: nothing of it, which is
written; a beginning, of which the rest is written; all of it. Only then it is owed no longer.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic, collection
from dropscribe.filing.disk import DISK
from dropscribe.filing.shelf import numbered, split
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropscribe.filing.disk import Disk
    from dropscribe.filing.folder import Where
    from dropscribe.filing.rights import Rights
    from dropscribe.ledger import Ledger, OwedRow

TABLE, LIST = ".csv", ".jsonl"
_MOST = 100
"""Tables of one name: more kinds of header than anybody makes."""


class Collections:
    """Writes owed rows, one at a time; usable from any thread."""

    def __init__(self, ledger: Ledger, *, disk: Disk = DISK) -> None:
        self._ledger = ledger
        self._disk = disk
        self._one_at_a_time = threading.Lock()

    def write(self, inbox: str, at: Callable[[str], Where], rights: Callable[[], Rights]) -> int:
        """All rows that scans of `inbox` owe, in the order of filing; how many there were.

        `at` tells how a folder is to be reached, `rights` those of a new file. Raises WorldWrong where the next
        row cannot be written; it and all behind it are still owed.
        """
        if not self._ledger.owed_rows(inbox):  # so that nobody waits for a share on which another one writes
            return 0
        with self._one_at_a_time:
            rows = self._ledger.owed_rows(inbox)
            for owed in rows:
                self._write(owed, at(owed.row.folder), rights)
                self._ledger.row_written(owed.scan_id)
        return len(rows)

    def _write(self, owed: OwedRow, folder: Where, rights: Callable[[], Rights]) -> None:
        is_table = owed.row.name.lower().endswith(TABLE)
        row = collection.named(json.loads(owed.row.cells), _name_of(owed), _time_of(owed))
        if owed.begun is not None:
            words = collection.words(row, is_table=is_table)
            if atomic.end_row(folder, atomic.Growth(*owed.begun), words, disk=self._disk):
                return

        def remember(growth: atomic.Growth) -> None:
            self._ledger.begin_row(owed.scan_id, growth.name, growth.start, growth.data)

        def line(head: bytes) -> bytes | None:
            return collection.line(row, head, is_table=is_table)

        stem, ending = split(owed.row.name)
        for number in range(1, _MOST):
            name = numbered(stem, number) + ending
            added = atomic.add_row(folder, name, line, remember, disk=self._disk)
            if added is None:
                self._begin(folder, name, collection.header(row, is_table=is_table), rights())
                added = atomic.add_row(folder, name, line, remember, disk=self._disk)
            if added:
                return
        where = shown(str(Path(owed.row.folder) / owed.row.name))
        raise WorldWrong(f"{where}: neither it nor {_MOST} more of its name have a column for each field")

    def _begin(self, folder: Where, name: str, header: bytes, rights: Rights) -> None:
        where = shown(str((folder if isinstance(folder, Path) else folder.path) / name))
        try:
            atomic.publish(folder, name, header, rights=rights, disk=self._disk)
        except atomic.NotUniqueError as error:
            raise WorldWrong(
                f"{where}: on this file system no file can be made that surely replaces none",
                "make an empty file of this name",
            ) from error
        except FileExistsError:
            return  # somebody was faster
        log.step("began a collection", path=where)


def _name_of(owed: OwedRow) -> str:
    filed, below = Path(owed.filed), Path(owed.row.below)
    return shown(str(filed.relative_to(below) if filed.is_relative_to(below) else filed))


def _time_of(owed: OwedRow) -> str:
    """In the time of this machine's place at that moment, with its distance from UTC."""
    return datetime.fromtimestamp(owed.at, UTC).astimezone().isoformat(timespec="milliseconds")
