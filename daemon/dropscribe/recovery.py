"""Filings that were stopped, and rows still owed: settled as soon as that can be; used by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.errors import NotYet, WorldWrong
from dropscribe.file_scan import write_rows
from dropscribe.schedule import PARK_CHECK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.config.values import Inbox
    from dropscribe.filer import Filer
    from dropscribe.ledger import Ledger, OpenScan


@dataclass(slots=True)
class Recovery:
    """Looks at the open intents of the inboxes in `roots`, at `due` (monotonic) and each minute while one is left.

    So it does at the rows that scans of `collecting` inboxes owe.
    """

    ledger: Ledger
    filer: Filer
    roots: Mapping[str, Path]
    collecting: tuple[Inbox, ...] = ()
    due: float | None = 0.0
    _told: set[int] = field(default_factory=set)
    _told_of_rows: set[str] = field(default_factory=set)

    def look(self, now: float) -> bool:
        """Settle what can be settled now; whether something may have been."""
        if self.due is None or now < self.due:
            return False
        self.due = None
        try:
            for record in self.ledger.open_scans():
                if record.inbox in self.roots:
                    self._settle(record, now)
            for inbox in self.collecting:
                self._write_rows(inbox, now)
        except WorldWrong:
            self.again(now)
        return True

    def write_rows(self, inbox: Inbox) -> None:
        """Raises WorldWrong while one that a filed scan owes cannot be written."""
        if inbox in self.collecting:
            write_rows(inbox, self.filer)

    def _write_rows(self, inbox: Inbox, now: float) -> None:
        try:
            if count := write_rows(inbox, self.filer):
                log.step("rows written", inbox=inbox.name, rows=count)
        except WorldWrong as wrong:
            self.again(now)
            if wrong.reason not in self._told_of_rows:
                self._told_of_rows.add(wrong.reason)
                log.step("rows wait", level="warning", inbox=inbox.name, reason=wrong.reason, fix=wrong.fix)

    def again(self, now: float) -> None:
        """A filing was stopped, or could not be settled."""
        self.due = now + PARK_CHECK

    def _settle(self, record: OpenScan, now: float) -> None:
        try:
            where = self.filer.recover(record, self.roots[record.inbox])
        except NotYet:
            self.again(now)
            return
        except WorldWrong as wrong:
            self.again(now)
            if record.id not in self._told:
                self._told.add(record.id)
                log.step(
                    "filing waits",
                    level="warning",
                    inbox=record.inbox,
                    scan=record.name,
                    reason=wrong.reason,
                    fix=wrong.fix,
                )
            return
        if where is not None:
            log.step("filing ended", inbox=record.inbox, scan=record.name, to=str(where))
