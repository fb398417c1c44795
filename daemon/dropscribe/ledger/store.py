"""The ledger's file: opened, brought to the newest version, put aside when it is broken."""

from __future__ import annotations

import errno
import sqlite3
import time
from typing import TYPE_CHECKING

from dropscribe import log
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
    """
    ALTER TABLE try ADD COLUMN rules TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE gap (
        inbox     TEXT NOT NULL,
        format    TEXT NOT NULL,
        seconds   REAL NOT NULL,
        at        REAL NOT NULL,
        PRIMARY KEY (inbox, format)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE try ADD COLUMN asked TEXT NOT NULL DEFAULT '';
    ALTER TABLE page ADD COLUMN asked TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE collected (
        scan_id   INTEGER PRIMARY KEY REFERENCES scan (id) ON DELETE CASCADE,
        folder    BLOB NOT NULL,
        name      BLOB NOT NULL,
        below     BLOB NOT NULL,
        cells     TEXT NOT NULL,
        target    BLOB,
        start     INTEGER,
        data      BLOB
    );
    """,
    """
    ALTER TABLE page ADD COLUMN verification TEXT NOT NULL DEFAULT '';
    ALTER TABLE page ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE met (inbox TEXT PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO met SELECT DISTINCT inbox FROM scan;
    """,
)


_TABLES = frozenset({"scan", "try", "page", "intent", "output", "gap", "collected", "met"})
_LONGEST_CHECK = 5.0
"""Seconds for looking at every page of a ledger; 100 MB take a third of one. What takes longer is believed."""


class DamagedError(sqlite3.DatabaseError):
    """What is inside is no ledger of any version."""


def opened(path: Path, *, mend: bool = True) -> sqlite3.Connection:
    """A damaged ledger is put aside for a new one, unless `mend` is false.

    Raises UsageError for a ledger of a newer program, WorldWrong where the file or its folder cannot be used.
    """
    try:
        _check_place(path)
        try:
            return _connect(path)
        except sqlite3.Error as error:
            if not (mend and is_damage(error)):
                raise
            put_aside(path, str(error))
        return _connect(path)
    except sqlite3.Error as error:
        raise in_words(error, path) from error
    except OSError as error:
        raise world_wrong(error, path) from error


def put_aside(path: Path, why: str) -> None:
    """Make room for a new ledger; the old one is kept for whoever wants to look, no scan depends on it.

    Raises WorldWrong.
    """
    try:
        aside = _moved_aside(path)
    except OSError as error:
        raise world_wrong(error, path) from error
    log.step("began a new ledger", level="warning", reason=f"the old one is damaged: {why}", kept=str(aside))


def _moved_aside(path: Path) -> Path:
    stamp = int(time.time())
    while (aside := path.with_name(f"{path.name}.broken-{stamp}")).exists():
        stamp += 1
    for ending in ("", "-wal", "-shm"):
        leftover = path.with_name(path.name + ending)
        if leftover.exists():
            leftover.rename(aside.with_name(aside.name + ending))
    return aside


def _check_place(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and not path.is_file():
        raise WorldWrong(f"{path}: a ledger is a file, and this is none", "move it away")


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        # WAL with NORMAL may lose the last commits at a power cut (sqlite.org/pragma.html#pragma_synchronous).
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        _check_pages(db)
        _migrate(db, path)
        _check_tables(db)
    except BaseException:
        db.close()
        raise
    return db


def _check_pages(db: sqlite3.Connection) -> None:
    until = time.monotonic() + _LONGEST_CHECK
    db.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return
    finally:
        db.set_progress_handler(None, 0)
    if found != "ok":
        raise DamagedError(found)


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise UsageError(
            f"{path} was written by a newer dropscribe (ledger version {version}, this one knows"
            f" {len(_MIGRATIONS)}); install the newer program again, or name another state folder"
        )
    if not version and _tables(db):
        raise WorldWrong(
            f"{path}: this is a database of another program", "move it away, or name another state folder"
        )
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def _check_tables(db: sqlite3.Connection) -> None:
    if missing := _TABLES - _tables(db):
        raise DamagedError(f"it has no table {min(missing)}")


def _tables(db: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'"))


def is_damage(error: sqlite3.Error) -> bool:
    """Whether only a new ledger helps."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or isinstance(error, DamagedError):
        return True
    return str(error).startswith(("no such table", "no such column"))


def in_words(error: sqlite3.Error, path: Path) -> WorldWrong:
    """What SQLite could not do to `path`, as the failure of a disk or folder that it is."""
    if is_damage(error):
        return WorldWrong(
            f"{path}: the ledger is damaged: {error}",
            "start dropscribe again: it begins a new one, and no scan is lost",
        )
    codes = {
        sqlite3.SQLITE_FULL: errno.ENOSPC,
        sqlite3.SQLITE_READONLY: errno.EROFS,
        sqlite3.SQLITE_CANTOPEN: errno.EACCES,
        sqlite3.SQLITE_PERM: errno.EACCES,
    }
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    number = codes.get(code, errno.EIO if code == sqlite3.SQLITE_IOERR else 0)
    return world_wrong(OSError(number, str(error)), path)
