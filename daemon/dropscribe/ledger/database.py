"""The ledger's one connection, and the one way to it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dropscribe.ledger.store import in_words, is_damage, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Database:
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
