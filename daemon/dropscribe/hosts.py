"""The hosts at run time: who is busy, who rests, and which scans are suspected; used by the main thread alone."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from dropscribe import log, schedule
from dropscribe.errors import WorldWrong
from dropscribe.read_page import NO_ANSWER
from dropscribe.status import HostStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dropscribe.errors import Unavailable
    from dropscribe.ledger import Ledger


class Hosts:
    """Every host by its name, and the tries that it may not have ended by its own fault."""

    def __init__(self, hosts: Iterable[schedule.Host], ledger: Ledger) -> None:
        self._hosts = {host.name: host for host in hosts}
        self._ledger = ledger
        self._evidence: dict[str, list[int]] = {name: [] for name in self._hosts}

    def __getitem__(self, name: str) -> schedule.Host:
        return self._hosts[name]

    @property
    def by_name(self) -> Mapping[str, schedule.Host]:
        return self._hosts

    def running(self, engine: str) -> tuple[str, ...]:
        return tuple(host.name for host in self._hosts.values() if host.engine == engine)

    def away(self, names: Iterable[str]) -> str:
        """Why none of these hosts reads now; empty when one does."""
        hosts = [self._hosts[name] for name in names]
        if not hosts or any(host.well for host in hosts):
            return ""
        return hosts[0].reason

    def evidence(self, name: str) -> tuple[int, ...]:
        """The suspect tries at this host: its next probe decides whether they count."""
        return tuple(self._evidence[name])

    def took(self, name: str) -> None:
        self._hosts[name] = schedule.took(self._hosts[name])

    def released(self, name: str) -> None:
        self._hosts[name] = schedule.released(self._hosts[name])

    def looked_well(self, name: str) -> None:
        """It says that the model is there: enough after an outage, not after it failed with a picture."""
        if not self._hosts[name].while_reading:
            self.answered(name)

    def answered(self, name: str) -> None:
        """It works, so what was suspected of scans is held against them now."""
        host = self._hosts[name]
        if not host.well:
            log.step("back", host=name, after=host.reason.removeprefix(f"{name} "))
        self._hosts[name] = schedule.answered(host)
        if self._evidence[name]:
            try:
                self._ledger.confirm(self._evidence[name], NO_ANSWER)
            except WorldWrong:
                return  # kept for its next answer: the state folder may take it then
            self._evidence[name].clear()

    def failed(self, name: str, failure: Unavailable, now: float, *, while_reading: bool) -> None:
        host = self._hosts[name]
        if failure.evidence is not None:
            self._evidence[name].append(failure.evidence)
        else:
            # It is down for everybody, so nothing that ended with it says anything about a scan.
            self._evidence[name].clear()
        rested = schedule.failed(
            host,
            now,
            failure.reason,
            failure.fix,
            draw=random.random(),  # noqa: S311 - jitter, no secret
            suspicious=failure.suspect,
            while_reading=while_reading,
            at_least=failure.after,
        )
        self._hosts[name] = rested
        if rested.failures != host.failures:
            log.step(
                "resting",
                level="warning",
                host=name,
                reason=failure.reason.removeprefix(f"{name} "),
                fix=failure.fix,
                seconds=round(rested.rests_until - now, 1),
            )

    def status(self) -> tuple[HostStatus, ...]:
        return tuple(_host_status(host) for host in self._hosts.values())


def _host_status(host: schedule.Host) -> HostStatus:
    away = not host.well
    behind = time.time() - time.monotonic()
    return HostStatus(
        name=host.name,
        engine=host.engine,
        state="resting" if away else "well",
        busy=host.busy,
        parallel=host.parallel,
        failures=host.failures,
        reason=host.reason,
        fix=host.fix,
        since=host.resting_since + behind if away else None,
        next_try=host.rests_until + behind if away else None,
    )
