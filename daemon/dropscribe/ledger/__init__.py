"""The ledger: SQLite's memory of scans, tries, pages and filings.

It lies on a local disk. The folders are the truth about where scans are, so losing the ledger loses no scan:
pages are asked again, that is all. Names of files are kept as bytes, because that is what they are.
"""

from __future__ import annotations

from dropscribe.ledger.filings import Filings
from dropscribe.ledger.inboxes import Inboxes
from dropscribe.ledger.records import Asked, Intent, Kind, OpenScan, OutputFile, OwedRow, Page, Row, Try
from dropscribe.ledger.scans import Scans

__all__ = ["Asked", "Intent", "Kind", "Ledger", "OpenScan", "OutputFile", "OwedRow", "Page", "Row", "Try"]


class Ledger(Scans, Filings, Inboxes):
    """All of it over one connection; see `Database` for what each method promises."""
