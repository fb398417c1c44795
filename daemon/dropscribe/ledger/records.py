"""What the ledger remembers, as frozen values; pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

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
class Asked:
    """What one try asked, and what it cost. The ledger keeps it as JSON: what a version does not know it leaves out.

    `prompt_sha256` is the beginning of that digest; `changed` what the recipe has otherwise than the first one of its
    page, by name; `size` the most pixels and the longest side; `turn` degrees clockwise; `sent` width and height in
    pixels, format and bytes of each picture. Digest, host, server and tokens are empty where no answer came.
    """

    model: str = ""
    digest: str = ""
    host: str = ""
    server: str = ""
    prompt_sha256: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (0, 0)
    bands: int = 1
    turn: int = 0
    sent: tuple[tuple[int, int, str, int], ...] = ()
    prompt_tokens: int = 0
    tokens: int = 0


def to_json(asked: Asked | None) -> str:
    """Empty for None."""
    return "" if asked is None else json.dumps(asdict(asked), separators=(",", ":"), default=str)


def asked_of(text: str) -> Asked | None:
    """None for a record of an older version, and for one that nobody can read."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    known = {each.name: found[each.name] for each in fields(Asked) if each.name in found}
    for name in ("size", "sent"):
        known[name] = _frozen(known.get(name, ()))
    return Asked(**known)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Try:
    """One recipe asked for one page, with the verdict on its answer; seconds as measured, `at` in Unix time.

    `rules` names the reading rules it was asked under; empty for what happened before anybody was asked. `asked` is
    None for that too, and for tries of older versions.
    """

    page: int
    recipe: str
    verdict: str
    sentence: str
    text: str
    seconds: float
    at: float
    rules: str = ""
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One accepted page; `rules` names the reading rules it was read under, `note` is a remark for people.

    `asked` is None where no engine was asked, and for pages of older versions.
    `verification` is what the second reader found, as JSON, empty before it was asked; `doubted`: the model is to
    be asked about the page once more.
    """

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
    asked: Asked | None = None
    verification: str = ""
    doubted: bool = False


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


@dataclass(frozen=True, slots=True)
class Row:
    """What a scan adds to a collection once it is filed.

    `folder` and `name` are those of the collection, `below` the folder from which the scan's own name counts;
    `cells` is a JSON object.
    """

    folder: str
    name: str
    below: str
    cells: str


@dataclass(frozen=True, slots=True)
class OwedRow:
    """A row of a scan that is filed as `filed`, since `at` (Unix time), and that no collection has yet.

    `begun`: where it was about to be written when that was interrupted: name of the file, byte, bytes.
    """

    scan_id: int
    row: Row
    filed: str
    at: float
    begun: tuple[str, int, bytes] | None
