"""What the main thread and the slots tell each other: jobs one way, results the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dropscribe.desk import Filed, Waiting
    from dropscribe.reading.engines import ModelState
    from dropscribe.values import Listened


@dataclass(frozen=True, slots=True)
class Job:
    """What a slot is to do: read `scan`, or only `check` whether the inbox's model works at its host now."""

    scan: Waiting
    host: str
    check: bool = False
    probe: bool = False
    deep: bool = False  # the probe must make the model read, because the last failure came while reading
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: filed, or the error that ended it.

    `proven`: the host passed its probe. `answered`: it answered about a page of the scan, whatever that was worth;
    many scans are filed without anybody being asked. `state`: what the model was when it failed or was checked.
    """

    job: Job
    filed: Filed | None = None
    error: Exception | None = None
    proven: bool = False
    answered: bool = False
    state: ModelState | None = None


class Hands(Protocol):
    """The slots that work; `results` gives what has been finished since the last call."""

    def give(self, job: Job) -> None: ...
    def results(self) -> Iterable[Result]: ...


class Watch(Protocol):
    """The bell on the folders of inboxes, as `intake.bell` keeps it; the canaries are those of `intake.canary`."""

    def watch(self, key: str, folders: Sequence[Path]) -> str | None: ...
    def listened(self, key: str) -> Mapping[int, Listened]: ...
    def overflows(self) -> int: ...
    def expect(self, canary: str) -> None: ...
    def has_heard(self, canary: str) -> bool: ...
    def forget(self, canary: str) -> None: ...
