"""What the ledger remembers, as frozen values; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class OpenScan:
    """A scan that was taken up and is not filed yet; `deaths` are errors that nobody foresaw while it was read."""

    id: int
    inbox: str
    name: str
    sha256: str
    deaths: int


@dataclass(frozen=True, slots=True)
class Try:
    """One recipe asked for one page, with the verdict on its answer; seconds as measured, `at` in Unix time.

    `rules` names the reading rules it was asked under; empty for what happened before anybody was asked.
    """

    page: int
    recipe: str
    verdict: str
    sentence: str
    text: str
    seconds: float
    at: float
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One accepted page; `rules` names the reading rules it was read under, `note` is a remark for people."""

    page: int
    rules: str
    text: str
    verdict: str
    model: str
    digest: str
    host: str
    recipe: str
    seconds: float
    at: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that filing adds beside a scan."""

    folder: str
    name: str
    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Intent:
    """Where a scan and what belongs to it are about to go."""

    kind: Kind
    folder: str
    name: str
    reason: str
    outputs: tuple[OutputFile, ...]
