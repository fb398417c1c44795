"""What the stand-in received and what became of it, in memory and as JSON lines."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.standin.asked import Request

ANSWERED = "answered"
ERROR = "error"
CUT_BY_CLIENT = "cut by client"
CUT_BY_SERVER = "cut by server"
"""The server was closed or taken down while it answered."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Times are monotonic seconds; names of headers are in lower case.

    `outcome` is empty until the request is through, then "answered", "error" (a status of 400 or more),
    "fault:KIND", "cut by client" or "cut by server". `status` is 0 when none was sent. `pieces` counts the
    lines of answer that went out, `cut` says that the client left before the end, whatever the outcome.
    """

    n: int
    at: float
    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    model: str | None = None
    prompt: str | None = None
    options: dict[str, Any] | None = None
    think: bool | str | None = None
    stream: bool | None = None
    format: Any = field(default=None, repr=False)
    keep_alive: Any = None
    pictures: int = 0
    mark: int | None = None
    picture_format: str | None = None
    picture_size: tuple[int, int] | None = None
    picture_sha256: str | None = None
    picture_bytes: int | None = None
    status: int = 0
    outcome: str = ""
    pieces: int = 0
    cut: bool = False
    ended: float | None = None

    def __str__(self) -> str:
        what = f"{self.method} {self.path} {self.model or ''} mark {self.mark}"
        return f"#{self.n} {what}: {self.status} {self.outcome or 'under way'}"


def asked(request: Request) -> dict[str, Any]:
    """The fields of Received that a chat request fills."""
    fields = {
        name: getattr(request, name)
        for name in ("model", "prompt", "options", "think", "stream", "format", "keep_alive", "mark")
    }
    fields["prompt"] = sys.intern(request.prompt)  # a long run asks the same thousands of times
    sight = request.sight
    if sight is None:
        return fields
    return fields | {
        "pictures": len(request.sights),
        "picture_format": sight.format or None,
        "picture_size": (sight.width, sight.height) if sight.format else None,
        "picture_sha256": sight.sha256,
        "picture_bytes": sight.size,
    }


class Log:
    """Every request, in the order of arrival; safe to use from any thread."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self._changed = threading.Condition()
        self._entries: list[Received] = []
        self._file = file

    def arrive(self, method: str, path: str, headers: dict[str, str], **fields: Any) -> int:
        """A new request; returns its number, counted from 1."""
        with self._changed:
            number = len(self._entries) + 1
            entry = Received(number, time.monotonic(), method, path, headers, **fields)
            self._entries.append(entry)
            self._tell("arrived", entry)
        return number

    def end(self, number: int, **fields: Any) -> None:
        with self._changed:
            entry = replace(self._entries[number - 1], ended=time.monotonic(), **fields)
            self._entries[number - 1] = entry
            self._tell("ended", entry)

    @property
    def received(self) -> tuple[Received, ...]:
        with self._changed:
            return tuple(self._entries)

    def wait_for(
        self, predicate: Callable[[tuple[Received, ...]], object], timeout: float
    ) -> tuple[Received, ...]:
        """What was received once `predicate` holds for it; AssertionError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(tuple(self._entries)), timeout):
                lines = "\n".join(f"  {entry}" for entry in self._entries[-30:]) or "  nothing"
                raise AssertionError(f"not in {timeout} s; received so far:\n{lines}")
            return tuple(self._entries)

    def _tell(self, event: str, entry: Received) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"event": event, **asdict(entry)}) + "\n")
            self._file.flush()
        self._changed.notify_all()
