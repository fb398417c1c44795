"""Filings that were stopped: settled at the start, or as soon as their folders are there; used by the main thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.errors import NotYet, WorldWrong
from dropscribe.schedule import PARK_CHECK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.filer import Filer
    from dropscribe.ledger import Ledger, OpenScan


@dataclass(slots=True)
class Recovery:
    """Looks at the open intents of the inboxes in `roots`, at `due` (monotonic) and each minute while one is left."""

    ledger: Ledger
    filer: Filer
    roots: Mapping[str, Path]
    due: float | None = 0.0
    _told: set[int] = field(default_factory=set)

    def look(self, now: float) -> bool:
        """Settle what can be settled now; whether something may have been."""
        if self.due is None or now < self.due:
            return False
        self.due = None
        try:
            for record in self.ledger.open_scans():
                if record.inbox in self.roots:
                    self._settle(record, now)
        except WorldWrong:
            self.again(now)
        return True

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
