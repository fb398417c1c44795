"""What could be seen of the daemon: its log, its status after each pass, what it wrote into its ledger."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropscribe import log

if TYPE_CHECKING:
    import sqlite3

    from dropscribe.status import InboxStatus, Status
    from tests.week.clock import Simulation


@dataclass(frozen=True)
class Seen:
    """One pass: why hosts rest and inboxes are parked (empty where not), and how many scans are ready there.

    `idle`: every host could have been given one more; `handed`: inboxes of which a scan was handed out first.
    """

    at: float
    hosts: dict[str, str]
    inboxes: dict[str, str]
    waiting: dict[str, int]
    left: int
    idle: bool
    handed: frozenset[str]

    @property
    def reasons(self) -> list[str]:
        return [*self.hosts.values(), *self.inboxes.values()]


@dataclass
class Episode:
    """One stay of a scan in an inbox: when it settled, was first handed out, and ended as done or failed."""

    inbox: str
    name: str
    arrived: float
    settled: float
    kind: str
    handed: float | None = None
    ended: float | None = None
    outcome: str = ""


@dataclass
class Record:
    simulation: Simulation
    newest: dict[tuple[str, str], Any]
    passes: list[Seen] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    unfair: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    _ledgers: list[sqlite3.Connection] = field(default_factory=list)
    _open: dict[tuple[str, str], Episode] = field(default_factory=dict)
    _unhanded: dict[str, dict[str, Episode]] = field(default_factory=dict)

    encoding = "utf-8"

    # --- the log

    def listen(self) -> None:
        log.configure("json", "info", self)  # type: ignore[arg-type]

    def write(self, line: str) -> None:
        said = json.loads(line)
        key = said["inbox"], said["scan"]
        match said["event"]:
            case "settled":
                self._settled(key)
            case "filed" | "failed" | "withdrawn" | "filing ended":
                self._ended(key, said["event"])
            case "traceback" | "library":
                self.troubles.append(str(said))
        if said["level"] == "error":
            self.troubles.append(str(said))

    def flush(self) -> None:
        pass

    def _settled(self, key: tuple[str, str]) -> None:
        now = self.simulation.now()
        if (known := self._open.get(key)) is not None:
            known.settled = now
            return
        arrival, arrived = self.newest[key]
        episode = Episode(*key, arrived, now, arrival.kind)
        self._open[key] = episode
        self._unhanded.setdefault(key[0], {})[key[1]] = episode
        self.episodes.append(episode)

    def _ended(self, key: tuple[str, str], outcome: str) -> None:
        if (episode := self._open.pop(key, None)) is not None:
            episode.ended = self.simulation.now()
            episode.outcome = outcome
            self._unhanded[key[0]].pop(key[1], None)

    # --- the status

    def note(self, status: Status) -> None:
        self._trace_new_ledgers()
        now = self.simulation.now()
        left = sum(
            sum(inbox.counts[what] for what in ("arriving", "waiting", "kept_back", "reading", "refused"))
            for inbox in status.inboxes
        )
        handed = frozenset(filter(None, (self._handed(inbox, now) for inbox in status.inboxes)))
        self.passes.append(
            Seen(
                now,
                {host.name: "" if host.state == "well" else host.reason for host in status.hosts},
                {inbox.name: inbox.parked for inbox in status.inboxes},
                {inbox.name: inbox.counts["waiting"] for inbox in status.inboxes},
                left,
                all(host.state == "well" and host.busy < host.parallel for host in status.hosts),
                handed,
            )
        )

    def _handed(self, status: InboxStatus, now: float) -> str:
        """The inbox's name if one of its scans was handed out for the first time."""
        inbox = status.name
        unhanded = self._unhanded.get(inbox, {})
        reading = [scan.name for scan in status.scans if scan.state == "reading"]
        new = [unhanded.pop(name) for name in reading if name in unhanded]
        for episode in new:
            episode.handed = now
            older = [
                each.name
                for each in unhanded.values()
                if each.settled < now and each.arrived < episode.arrived
            ]
            if older:
                self.unfair.append(f"{now:.0f}: {inbox}/{episode.name} before the older {older[:3]}")
        return inbox if new else ""

    # --- the ledger

    def count_commits(self) -> None:
        """Of every connection that this process opens from now on, from the next pass on."""

        def heard(event: str, args: tuple[Any, ...]) -> None:
            if event == "sqlite3.connect/handle":
                self._ledgers.append(args[0])

        sys.addaudithook(heard)

    def _trace_new_ledgers(self) -> None:
        # Not when they are opened: they cannot do that yet when Python tells of them.
        while self._ledgers:
            self._ledgers.pop().set_trace_callback(self._traced)

    def _traced(self, statement: str) -> None:
        if statement.startswith("COMMIT"):
            self.commits.append(self.simulation.now())
