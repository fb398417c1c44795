"""A configuration as the rest of the program sees it: whole, resolved, frozen; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Host:
    """An Ollama server: `url` is scheme, host and port; `parallel` requests at once."""

    url: str
    parallel: int


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds; `silence` is between two pieces of an answer, `total` for a whole request."""

    connect: float
    first_token: float
    silence: float
    total: float


@dataclass(frozen=True, slots=True)
class OllamaRules:
    """What holds for all hosts; model, options and keep_alive are in each inbox."""

    hosts: tuple[Host, ...]
    timeouts: Timeouts
    allow_cloud: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """`bytes` of a file, `pixels` of a page; `decoding` in seconds, `memory` in bytes, both for decoding."""

    bytes: int
    pixels: int
    decoding: float
    memory: int


@dataclass(frozen=True, slots=True)
class Pdf:
    """`dpi` is for pages that are drawn; a page that is one picture keeps the resolution of that."""

    text_layer: Literal["ignore", "prefer"]
    dpi: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """What is done to a page before it is sent; `turn` is None where only a page without an answer is turned."""

    turn: bool | None
    deskew: bool
    contrast: bool
    bands: Literal["auto", "dense", "never"]
    blank: Literal["skip", "ask"]


@dataclass(frozen=True, slots=True)
class Output:
    """`folder` is absolute; `schema` is the parsed JSON schema, only with the formats json and markdown.

    `page_break` is None where the format's own break stands between two pages. `collect` is the file to which
    each scan adds a row, only with a schema.
    """

    format: Literal["markdown", "text", "json"]
    name: str
    folder: Path
    front_matter: bool
    sidecar: bool
    pages: Literal["joined", "separate"]
    page_break: str | None
    schema: Mapping[str, Any] | None = field(repr=False)
    collect: Path | None = None


@dataclass(frozen=True, slots=True)
class Inbox:
    """All rules of an inbox; paths are absolute, with their links; times in seconds, sizes in bytes.

    `preset` is the name of the prompt, empty for one that is the user's own or fills in a schema.
    `models` is the order of fallback, empty for an engine without models. `settle` and `rescan` are None
    where the kind of scan and of file system decide, `file_mode` and `group` (a number) where the inbox does.
    """

    name: str
    path: Path
    create: bool
    prompt: str = field(repr=False)
    engine: str
    models: tuple[str, ...]
    options: Mapping[str, Any]
    keep_alive: str | int
    recursive: bool
    patterns: tuple[str, ...]
    ignore: tuple[str, ...]
    settle: float | None
    rescan: float | None
    watch: str
    give_up_arriving: float
    pages: Literal["auto", "all"]
    max_pages: int
    limits: Limits
    pdf: Pdf
    prepare: Prepare
    tries: int
    on_bad_page: Literal["fail", "mark"]
    verify: Literal["auto", "on", "off"]
    on_check: Literal["done", "review"]
    repeats: float
    free_space: int
    file_mode: int | None
    group: int | None
    output: Output
    done: Path
    failed: Path
    review: Path
    preset: str = ""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Those that scans and texts are filed to, each once."""
        review = (self.review,) if self.on_check == "review" else ()
        return tuple(dict.fromkeys((self.done, self.failed, self.output.folder, *review)))


@dataclass(frozen=True, slots=True)
class Log:
    """`format` is auto, console, plain or json."""

    format: str
    level: str


@dataclass(frozen=True, slots=True)
class Config:
    """`path` is the file it came from, None when a program built it; `warnings` are lines for people."""

    path: Path | None
    ollama: OllamaRules
    state: Path
    inboxes: tuple[Inbox, ...]
    log: Log
    warnings: tuple[str, ...] = ()
