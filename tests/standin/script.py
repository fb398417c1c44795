"""Faults on request: which of them strikes which request."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong (`kind`, see faults.py), how often, and for which requests.

    `times`: how often it strikes, None for ever. It strikes requests for `path` ("*" is any) that carry
    `mark` and name `model`, where given; of these it leaves out the first `skip`, then takes each `every`-th.
    The rest says how it looks, as far as the kind has a use for it: `lines` of answer before it strikes;
    `gap` seconds between single bytes; `period` of a loop; `size` in bytes, None without end; the texts.
    """

    kind: str
    times: int | None = 1
    mark: int | None = None
    model: str | None = None
    path: str = "/api/chat"
    skip: int = 0
    every: int = 1
    lines: int = 2
    gap: float = 0.05
    period: int = 3
    size: int | None = 12_000_000
    status: int = 500
    error: str = "internal server error"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    url: str = ""

    def concerns(self, path: str, model: str | None, mark: int | None) -> bool:
        return (
            self.path in ("*", path)
            and (self.model is None or self.model == model)
            and (self.mark is None or self.mark == mark)
        )


class Script:
    """Faults in the order in which they were asked for; the first one that is due strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._seen: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self._seen.clear()
            self._struck.clear()

    def take(self, path: str, model: str | None, mark: int | None) -> Fault | None:
        """The fault that strikes this request; only it counts the request as seen."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.concerns(path, model, mark) and self._due(place, fault):
                    return fault
        return None

    def _due(self, place: int, fault: Fault) -> bool:
        if fault.times is not None and self._struck[place] >= fault.times:
            return False
        self._seen[place] += 1
        beyond = self._seen[place] - fault.skip
        if beyond < 1 or beyond % fault.every:
            return False
        self._struck[place] += 1
        return True
