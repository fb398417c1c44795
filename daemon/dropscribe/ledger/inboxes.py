"""What is known of an inbox: that it was there, what its scanner does, what was filed from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dropscribe.ledger.database import Database
from dropscribe.ledger.records import OutputFile
from dropscribe.values import Gap

if TYPE_CHECKING:
    from pathlib import Path


class Inboxes(Database):
    """What lasts longer than a scan."""

    def knows(self, inbox: str) -> bool:
        """Whether a daemon has ever begun to work for this inbox."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM met WHERE inbox = ?", (inbox,)).fetchone() is not None

    def meet(self, inbox: str) -> None:
        """It is known from now on; nothing is written for one that is."""
        if not self.knows(inbox):
            with self._transaction() as db:
                db.execute("INSERT OR IGNORE INTO met (inbox) VALUES (?)", (inbox,))

    def keep_gap(self, inbox: str, kind: str, gap: Gap) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO gap (inbox, format, seconds, at) VALUES (?, ?, ?, ?)",
                (inbox, kind, gap.seconds, gap.at),
            )

    def gaps(self, inbox: str) -> dict[str, Gap]:
        """By format, in how many quiet seconds its scanner was seen to go on with a scan."""
        with self._reading() as db:
            rows = db.execute("SELECT format, seconds, at FROM gap WHERE inbox = ?", (inbox,)).fetchall()
        return {kind: Gap(seconds, at) for kind, seconds, at in rows}

    def failures_of(self, inbox: str, sha256: str) -> tuple[tuple[str, OutputFile], ...]:
        """Where this content was filed as failed before, each with a file that was filed beside it."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT filed, folder, output.name, output.sha256 FROM scan JOIN output ON scan_id = scan.id"
                " WHERE inbox = ? AND scan.sha256 = ? AND state = 'failed'",
                (inbox, sha256),
            ).fetchall()
        return tuple(
            (os.fsdecode(filed), OutputFile(os.fsdecode(folder), os.fsdecode(name), sha, b""))
            for filed, folder, name, sha in rows
        )

    def has_filed_below(self, inbox: str, folder: Path) -> bool:
        """Whether a scan of this inbox was ever filed into `folder` or below it."""
        start = os.path.join(os.fsencode(folder), b"")  # noqa: PTH118 - bytes
        with self._reading() as db:
            found = db.execute(
                "SELECT 1 FROM scan WHERE inbox = ? AND state = 'done' AND substr(filed, 1, ?) = ? LIMIT 1",
                (inbox, len(start), start),
            ).fetchone()
        return found is not None

    def counts(self, inbox: str, *, since: float) -> dict[str, int]:
        """How many scans of this inbox ended as done, failed or withdrawn since that Unix time."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT state, count(*) FROM scan WHERE inbox = ? AND state IN ('done', 'failed', 'withdrawn')"
                " AND ended_at >= ?"  # by the index, so that other days cost nothing
                " GROUP BY state",
                (inbox, since),
            ).fetchall()
        return dict(rows)
