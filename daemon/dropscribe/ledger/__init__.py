"""The ledger: SQLite's memory of scans, tries, pages and filings.

It lies on a local disk. The folders are the truth about where scans are, so losing the ledger loses no scan:
pages are asked again, that is all. Names of files are kept as bytes, because that is what they are.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropscribe.ledger.records import (
    Asked,
    Intent,
    Kind,
    OpenScan,
    OutputFile,
    OwedRow,
    Page,
    Row,
    Try,
    asked_of,
    to_json,
)
from dropscribe.ledger.store import in_words, is_damage, opened
from dropscribe.values import Gap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Asked", "Intent", "Kind", "Ledger", "OpenScan", "OutputFile", "OwedRow", "Page", "Row", "Try"]


class Ledger:
    """Usable from any thread; each method is one transaction, on disk when it returns. Each raises WorldWrong."""

    def __init__(self, path: Path, *, mend: bool = True) -> None:
        """`mend`: begin a new ledger where this one is damaged.

        Raises UsageError for a ledger of a newer program, WorldWrong where it cannot be used.
        """
        self.path = path
        self.damaged = ""  # why only a new ledger helps; whoever opened this one has to begin it
        self._lock = threading.RLock()
        self._db = opened(path, mend=mend)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def check(self) -> None:
        """Raises WorldWrong unless it can be written to."""
        with self._transaction() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {version}")

    # --- scans

    def open_scan(self, inbox: str, name: str, sha256: str, size: int, *, at: float) -> OpenScan:
        """The open record of this content under this name, begun now if there is none.

        Pages that were read before the same content failed are its own again: only the others are asked.
        """
        key = (inbox, os.fsencode(name), sha256)
        with self._transaction() as db:
            begun = db.execute(
                "INSERT INTO scan (inbox, name, sha256, size, state, taken_at) VALUES (?, ?, ?, ?, 'open', ?)"
                " ON CONFLICT DO NOTHING",
                (*key, size, at),
            )
            row = db.execute(
                "SELECT id, deaths FROM scan WHERE inbox = ? AND name = ? AND sha256 = ? AND state = 'open'",
                key,
            ).fetchone()
            if begun.rowcount:
                db.execute(
                    "UPDATE page SET scan_id = ? WHERE scan_id = (SELECT max(id) FROM scan"
                    " WHERE inbox = ? AND sha256 = ? AND state = 'failed')",
                    (row[0], inbox, sha256),
                )
        return OpenScan(row[0], inbox, name, sha256, row[1])

    def open_scans(self) -> tuple[OpenScan, ...]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, inbox, name, sha256, deaths FROM scan WHERE state = 'open' ORDER BY id"
            ).fetchall()
        return tuple(OpenScan(i, inbox, os.fsdecode(name), sha, d) for i, inbox, name, sha, d in rows)

    def withdraw(self, scan_id: int, reason: str, *, at: float) -> None:
        with self._transaction() as db:
            _end(db, scan_id, "withdrawn", reason, None, at)

    def blame(self, scan_id: int) -> None:
        """An error that nobody foresaw counts, so that it cannot come back for ever."""
        with self._transaction() as db:
            db.execute("UPDATE scan SET deaths = deaths + 1 WHERE id = ?", (scan_id,))

    # --- tries and pages

    def confirm(self, tries: Iterable[int], verdict: str) -> None:
        """The host has answered something else since: these tries are held against their scans after all."""
        with self._transaction() as db:
            db.executemany("UPDATE try SET verdict = ? WHERE id = ?", [(verdict, number) for number in tries])

    def add_try(self, scan_id: int, tried: Try) -> int:
        with self._transaction() as db:
            return _add_try(db, scan_id, tried)

    def tries(self, scan_id: int, page: int | None = None, *, rules: str | None = None) -> tuple[Try, ...]:
        """All tries at this scan, or at one page of it, oldest first; page 0 is the opening of the scan.

        `rules`: only those under these reading rules, and those under none.
        """
        with self._reading() as db:
            rows = db.execute(
                "SELECT page, recipe, verdict, sentence, text, seconds, at, rules, asked FROM try"
                " WHERE scan_id = ?1 AND (?2 IS NULL OR page = ?2)"
                " AND (?3 IS NULL OR rules IN (?3, '')) ORDER BY id",
                (scan_id, page, rules),
            ).fetchall()
        return tuple(replace(Try(*row[:-1]), asked=asked_of(row[-1])) for row in rows)

    def accept(self, scan_id: int, page: Page, instead_of: Try | None = None) -> None:
        """The page as it is from now on; `instead_of`: an answer about it that was not kept."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO page (scan_id, page, rules, text, verdict, model, digest, host, recipe,"
                " seconds, at, note, asked, verification, doubted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (scan_id, page.page, page.rules, page.text, page.verdict, page.model, page.digest, page.host,
                 page.recipe, page.seconds, page.at, page.note, to_json(page.asked), page.verification,
                 page.doubted),
            )  # fmt: skip
            if instead_of is not None:
                _add_try(db, scan_id, instead_of)

    def pages(self, scan_id: int, rules: str) -> dict[int, Page]:
        """The pages accepted so far under the same reading rules, by number; of a scan in `done/` without texts."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT page, rules, text, verdict, model, digest, host, recipe, seconds, at, note, asked,"
                " verification, doubted FROM page WHERE scan_id = ? AND rules = ?",
                (scan_id, rules),
            ).fetchall()
        return {row[0]: _page(row) for row in rows}

    # --- filing

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

    def has_filed_below(self, inbox: str, folder: Path) -> bool:
        """Whether a scan of this inbox was ever filed into `folder` or below it."""
        start = os.path.join(os.fsencode(folder), b"")  # noqa: PTH118 - bytes
        with self._reading() as db:
            found = db.execute(
                "SELECT 1 FROM scan WHERE inbox = ? AND state = 'done' AND substr(filed, 1, ?) = ? LIMIT 1",
                (inbox, len(start), start),
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
            _end(db, scan_id, kind, reason, folder + b"/" + name, at)

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

    # --- what was learned of an inbox

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

    # --- history

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

    def knows(self, inbox: str) -> bool:
        """Whether a daemon has ever begun to work for this inbox."""
        with self._reading() as db:
            return db.execute("SELECT 1 FROM met WHERE inbox = ?", (inbox,)).fetchone() is not None

    def meet(self, inbox: str) -> None:
        """It is known from now on; nothing is written for one that is."""
        if not self.knows(inbox):
            with self._transaction() as db:
                db.execute("INSERT OR IGNORE INTO met (inbox) VALUES (?)", (inbox,))

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

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db, db:
            db.execute("BEGIN IMMEDIATE")
            yield db

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The one way to the database: whatever SQLite says becomes WorldWrong."""
        try:
            with self._lock:
                yield self._db
        except sqlite3.Error as error:
            if is_damage(error):
                self.damaged = str(error)
            raise in_words(error, self.path) from error


def _owed(
    scan_id: int, folder: bytes, name: bytes, below: bytes, cells: str, filed: bytes, at: float,
    target: bytes | None, start: int, data: bytes,
) -> OwedRow:  # fmt: skip
    row = Row(os.fsdecode(folder), os.fsdecode(name), os.fsdecode(below), cells)
    begun = None if target is None else (os.fsdecode(target), start, data)
    return OwedRow(scan_id, row, os.fsdecode(filed), at, begun)


def _page(row: tuple[Any, ...]) -> Page:
    *fields, asked, verification, doubted = row
    page = Page(*fields)
    return replace(page, asked=asked_of(asked), verification=verification, doubted=bool(doubted))


def _add_try(db: sqlite3.Connection, scan_id: int, tried: Try) -> int:
    values = (
        tried.page,
        tried.recipe,
        tried.verdict,
        tried.sentence,
        tried.text,
        tried.seconds,
        tried.at,
        tried.rules,
        to_json(tried.asked),
    )
    cursor = db.execute(
        "INSERT INTO try (scan_id, page, recipe, verdict, sentence, text, seconds, at, rules, asked)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (scan_id, *values),
    )
    return cursor.lastrowid or 0


def _end(
    db: sqlite3.Connection, scan_id: int, state: str, reason: str, filed: bytes | None, at: float
) -> None:
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
