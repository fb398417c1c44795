"""Scans that were taken up, each try at a page, and the pages that were accepted."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dropscribe.ledger.database import Database
from dropscribe.ledger.filings import end
from dropscribe.ledger.records import OpenScan, Page, Try, asked_of, to_json

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


class Scans(Database):
    """What was read."""

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
            end(db, scan_id, "withdrawn", reason, None, at)

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
