"""What passes between the parts that work on one scan: the desk, the scan, what was read of it, how it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropscribe.config.values import Inbox
    from dropscribe.errors import BadAnswer, BadScan, WorldWrong
    from dropscribe.filer import Filer
    from dropscribe.ledger import Kind, Ledger, Page
    from dropscribe.reading.decoding import Decoding
    from dropscribe.reading.second import SecondReader
    from dropscribe.stop import Stop
    from dropscribe.values import Fingerprint


class Progress:
    """Which page of which scan is being read, for the status; used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[tuple[str, str], tuple[int, int]] = {}
        self._verified: set[tuple[str, str]] = set()

    def reading(self, inbox: str, scan: str, page: int, of: int) -> None:
        with self._lock:
            self._pages[inbox, scan] = page, of

    def verifying(self, inbox: str, scan: str, page: int, of: int) -> None:
        with self._lock:
            self._pages[inbox, scan] = page, of
            self._verified.add((inbox, scan))

    def over(self, inbox: str, scan: str) -> None:
        with self._lock:
            self._pages.pop((inbox, scan), None)
            self._verified.discard((inbox, scan))

    def words(self, inbox: str, scan: str) -> str:
        """`page 38 of 100`, `verifying page 1 of 100`, `verifying`; empty while a single page is read, and else."""
        with self._lock:
            page, of = self._pages.get((inbox, scan), (1, 1))
            does = ["verifying"] if (inbox, scan) in self._verified else []
        return " ".join([*does, *([f"page {page} of {of}"] if of > 1 else [])])


@dataclass(frozen=True, slots=True)
class Desk:
    """What reading needs besides the scan: one for all scans that a slot reads."""

    ledger: Ledger
    filer: Filer
    decoding: Decoding
    second: SecondReader
    progress: Progress
    spool: Path
    stop: Stop


@dataclass(frozen=True, slots=True)
class Waiting:
    """A settled scan in its inbox; `young` while a cut-short file may still be arriving."""

    inbox: Inbox
    name: str
    fingerprint: Fingerprint
    young: bool
    local: bool


@dataclass(frozen=True, slots=True)
class Filed:
    """How it ended: `where` the scan lies now, and the reason if it failed.

    `owes`: why its row is not in its collection yet.
    """

    kind: Kind
    where: Path
    reason: str = ""
    pages: tuple[Page, ...] = field(default=(), repr=False)
    owes: WorldWrong | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The pages that were read, and why the others were not; number 0 stands for the whole scan."""

    count: int = 1
    pages: tuple[Page, ...] = ()
    bad: Mapping[int, BadScan | BadAnswer] = field(default_factory=dict)
