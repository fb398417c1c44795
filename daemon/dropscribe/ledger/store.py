"""The ledger's file: opened, brought to the newest version, put aside when it is broken."""

from __future__ import annotations

import errno
import sqlite3
import time
from typing import TYPE_CHECKING

from dropscribe.errors import UsageError, WorldWrong, world_wrong

if TYPE_CHECKING:
    from pathlib import Path

# Each entry brings the ledger from its index to the next version; entries are only ever appended.
_MIGRATIONS = (
    """
    CREATE TABLE scan (
        id        INTEGER PRIMARY KEY,
        inbox     TEXT NOT NULL,
        name      BLOB NOT NULL,
        sha256    TEXT NOT NULL,
        size      INTEGER NOT NULL,
        state     TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed', 'withdrawn')),
        taken_at  REAL NOT NULL,
        ended_at  REAL,
        reason    TEXT NOT NULL DEFAULT '',
        filed     BLOB,
        risking   INTEGER NOT NULL DEFAULT 0,
        deaths    INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX scan_open ON scan (inbox, name, sha256) WHERE state = 'open';
    CREATE INDEX scan_ended ON scan (inbox, state, ended_at);
    CREATE INDEX scan_content ON scan (inbox, sha256);
    CREATE INDEX scan_risking ON scan (id) WHERE risking = 1;

    CREATE TABLE try (
        id        INTEGER PRIMARY KEY,
        scan_id   INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
        page      INTEGER NOT NULL,
        recipe    TEXT NOT NULL,
        at        REAL NOT NULL,
        seconds   REAL NOT NULL,
        verdict   TEXT NOT NULL,
        sentence  TEXT NOT NULL,
        text      TEXT NOT NULL
    );
    CREATE INDEX try_scan ON try (scan_id, page);

    CREATE TABLE page (
        scan_id   INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
        page      INTEGER NOT NULL,
        rules     TEXT NOT NULL,
        text      TEXT NOT NULL,
        verdict   TEXT NOT NULL,
        model     TEXT NOT NULL,
        digest    TEXT NOT NULL,
        host      TEXT NOT NULL,
        recipe    TEXT NOT NULL,
        seconds   REAL NOT NULL,
        at        REAL NOT NULL,
        PRIMARY KEY (scan_id, page)
    ) WITHOUT ROWID;

    CREATE TABLE intent (
        scan_id   INTEGER PRIMARY KEY REFERENCES scan (id) ON DELETE CASCADE,
        kind      TEXT NOT NULL CHECK (kind IN ('done', 'failed')),
        folder    BLOB NOT NULL,
        name      BLOB NOT NULL,
        reason    TEXT NOT NULL
    );
    CREATE TABLE output (
        scan_id   INTEGER NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
        folder    BLOB NOT NULL,
        name      BLOB NOT NULL,
        sha256    TEXT NOT NULL,
        data      BLOB NOT NULL,
        PRIMARY KEY (scan_id, folder, name)
    );
    """,
    # scan.risking is not used any more; SQLite before 3.35 cannot drop a column.
    """
    ALTER TABLE page ADD COLUMN note TEXT NOT NULL DEFAULT '';
    DROP INDEX scan_risking;
    """,
)


def opened(path: Path) -> sqlite3.Connection:
    """Raises UsageError for a ledger of a newer program, WorldWrong where the folder cannot be used."""
    try:
        return _connect(path)
    except sqlite3.OperationalError as error:
        raise in_words(error, path) from error
    except sqlite3.DatabaseError:
        # Not a database, or a broken one. It is kept for whoever wants to look; no scan depends on it.
        aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
        for ending in ("", "-wal", "-shm"):
            leftover = path.with_name(path.name + ending)
            if leftover.exists():
                leftover.rename(aside.with_name(aside.name + ending))
        return _connect(path)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # WAL with NORMAL may lose the last commits at a power cut (sqlite.org/pragma.html#pragma_synchronous).
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        _migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise UsageError(
            f"{path} was written by a newer dropscribe (ledger version {version}, this one knows"
            f" {len(_MIGRATIONS)}); install the newer program again, or name another state folder"
        )
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def in_words(error: sqlite3.OperationalError, path: Path) -> WorldWrong:
    """What SQLite could not do to `path`, as the failure of a disk or folder that it is."""
    codes = {
        sqlite3.SQLITE_FULL: errno.ENOSPC,
        sqlite3.SQLITE_READONLY: errno.EROFS,
        sqlite3.SQLITE_CANTOPEN: errno.EACCES,
        sqlite3.SQLITE_PERM: errno.EACCES,
    }
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = codes.get(code, errno.EIO if code == sqlite3.SQLITE_IOERR else 0)
    return world_wrong(OSError(number, str(error)), path)
