"""Frozen values that cross the borders between the acts; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Stat(Protocol):
    """The part of `os.stat_result` that identifies a file."""

    @property
    def st_dev(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one state of a file from another without reading it; size in bytes, times in nanoseconds."""

    dev: int
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, stat: Stat) -> Fingerprint:
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    def same_content_as(self, other: Fingerprint) -> bool:
        """Equal but for ctime, which a rename or a link changes on most file systems."""
        return (self.dev, self.ino, self.size, self.mtime_ns) == (
            other.dev,
            other.ino,
            other.size,
            other.mtime_ns,
        )


@dataclass(frozen=True, slots=True)
class Listened:
    """A folder as it is listened to: another inode under this path is another folder."""

    path: Path
    ino: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A scanner went on with a scan after so many quiet seconds, last seen at the Unix time `at`."""

    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Size:
    """The largest picture worth sending: `pixels` in all, `side` pixels on the longer side."""

    pixels: int
    side: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as it is sent: upright, flattened, 8 bits, RGB or grey, PNG or JPEG; sides in pixels."""

    data: bytes = field(repr=False)
    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that shapes one try: the model, the prompt, the options and what is made of the page.

    `size` bounds each picture. `bands`: the page goes in at least so many pictures, one below the other.
    `turn`: the page is looked at by the embedded engine first and turned if it lies on its side or head.
    """

    engine: str
    model: str
    prompt: str = field(repr=False)
    options: Mapping[str, Any]
    size: Size
    keep_alive: str | int | None = None
    schema: Mapping[str, Any] | None = field(default=None, repr=False)
    bands: int = 1
    turn: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine gave back, before anyone judged it; `seconds` from request to last byte.

    `server` is the version of the server, or of the library that runs the model.
    """

    text: str
    done: bool
    done_reason: str = ""
    thinking: str = ""
    cut: str = ""  # why we ended the request ourselves; empty when the engine ended it
    model: str = ""
    model_digest: str = ""
    host: str = ""
    server: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement on one answer: `name` is a fixed word, `sentence` is for people."""

    name: str
    sentence: str
    text: str = field(default="", repr=False)  # what is kept of the answer: peeled, one newline at the end

    @property
    def accepted(self) -> bool:
        return self.name in {"accepted", "no text"}
