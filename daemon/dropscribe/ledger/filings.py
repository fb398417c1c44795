"""Where scans are about to be filed, how that ended, and the rows that they owe to collections."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dropscribe.ledger.database import Database
from dropscribe.ledger.records import Intent, OutputFile, OwedRow, Row

if TYPE_CHECKING:
    import sqlite3


class Filings(Database):
    """What is being filed."""

    def intend(self, scan_id: int, intent: Intent, row: Row | None = None) -> None:
        """`row` is owed to its collection from the moment at which the scan is filed."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO intent (scan_id, kind, folder, name, reason) VALUES (?, ?, ?, ?, ?)",
                (scan_id, intent.kind, os.fsencode(intent.folder), os.fsencode(intent.name), intent.reason),
            )
            db.executemany(
                "INSERT INTO output (scan_id, folder, name, sha256, data) VALUES (?, ?, ?, ?, ?)",
                [
                    (scan_id, os.fsencode(o.folder), os.fsencode(o.name), o.sha256, o.data)
                    for o in intent.outputs
                ],
            )
            if row is not None:
                names = (os.fsencode(row.folder), os.fsencode(row.name), os.fsencode(row.below))
                db.execute(
                    "INSERT INTO collected (scan_id, folder, name, below, cells) VALUES (?, ?, ?, ?, ?)",
                    (scan_id, *names, row.cells),
                )

    def intent(self, scan_id: int) -> Intent | None:
        with self._reading() as db:
            row = db.execute(
                "SELECT kind, folder, name, reason FROM intent WHERE scan_id = ?", (scan_id,)
            ).fetchone()
            outputs = db.execute(
                "SELECT folder, name, sha256, data FROM output WHERE scan_id = ? ORDER BY rowid", (scan_id,)
            ).fetchall()
        if row is None:
            return None
        files = tuple(OutputFile(os.fsdecode(f), os.fsdecode(n), sha, data) for f, n, sha, data in outputs)
        return Intent(row[0], os.fsdecode(row[1]), os.fsdecode(row[2]), row[3], files)

    def intends(self, inbox: str, name: str) -> bool:
        """Whether a scan of this name is to be filed, whatever its content."""
        with self._reading() as db:
            found = db.execute(
                "SELECT 1 FROM intent JOIN scan ON scan_id = scan.id"
                " WHERE inbox = ? AND scan.name = ? AND state = 'open'",
                (inbox, os.fsencode(name)),
            ).fetchone()
        return found is not None

    def drop_intent(self, scan_id: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM intent WHERE scan_id = ?", (scan_id,))
            db.execute("DELETE FROM output WHERE scan_id = ?", (scan_id,))
            db.execute("DELETE FROM collected WHERE scan_id = ?", (scan_id,))

    def filed(self, scan_id: int, *, at: float) -> None:
        """The intent has come true."""
        with self._transaction() as db:
            kind, folder, name, reason = db.execute(
                "SELECT kind, folder, name, reason FROM intent WHERE scan_id = ?", (scan_id,)
            ).fetchone()
            end(db, scan_id, kind, reason, folder + b"/" + name, at)

    # --- collections

    def owed_rows(self, inbox: str) -> tuple[OwedRow, ...]:
        """The rows of filed scans that are not known to be in their collections, in the order of filing."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT scan_id, folder, collected.name, below, cells, filed, ended_at, target, start, data"
                # CROSS: in this order, as SQLite would otherwise go through all scans that were ever filed.
                " FROM collected CROSS JOIN scan ON scan_id = scan.id"
                " WHERE inbox = ? AND state = 'done' ORDER BY ended_at, scan_id",
                (inbox,),
            ).fetchall()
        return tuple(_owed(*row) for row in rows)

    def begin_row(self, scan_id: int, target: str, start: int, data: bytes) -> None:
        """`data` is about to be written into the file `target` from byte `start` on."""
        with self._transaction() as db:
            db.execute(
                "UPDATE collected SET target = ?, start = ?, data = ? WHERE scan_id = ?",
                (os.fsencode(target), start, data, scan_id),
            )

    def row_written(self, scan_id: int) -> None:
        with self._transaction() as db:
            db.execute("DELETE FROM collected WHERE scan_id = ?", (scan_id,))


def _owed(
    scan_id: int, folder: bytes, name: bytes, below: bytes, cells: str, filed: bytes, at: float,
    target: bytes | None, start: int, data: bytes,
) -> OwedRow:  # fmt: skip
    row = Row(os.fsdecode(folder), os.fsdecode(name), os.fsdecode(below), cells)
    begun = None if target is None else (os.fsdecode(target), start, data)
    return OwedRow(scan_id, row, os.fsdecode(filed), at, begun)


def end(
    db: sqlite3.Connection, scan_id: int, state: str, reason: str, filed: bytes | None, at: float
) -> None:
    """The scan is over: it has become `state`, at Unix time `at`, and lies at `filed` if it was filed."""
    db.execute(
        "UPDATE scan SET state = ?, reason = ?, filed = ?, ended_at = ? WHERE id = ?",
        (state, reason, filed, at, scan_id),
    )
    # The transcript is in done/ now, and the ledger must not grow with what stands there; how it came about stays.
    db.execute("DELETE FROM intent WHERE scan_id = ?", (scan_id,))
    if state == "done":
        db.execute("UPDATE page SET text = '' WHERE scan_id = ?", (scan_id,))
    else:
        db.execute("DELETE FROM collected WHERE scan_id = ?", (scan_id,))
    if state not in {"done", "failed"}:
        db.execute("DELETE FROM page WHERE scan_id = ?", (scan_id,))
    db.execute("UPDATE try SET text = '' WHERE scan_id = ?", (scan_id,))
    db.execute("UPDATE output SET data = x'' WHERE scan_id = ?", (scan_id,))
