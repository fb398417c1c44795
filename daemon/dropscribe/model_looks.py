"""Looks at the models that stand in the way of an inbox, and what became of them; used by the main thread alone."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dropscribe import log, schedule
from dropscribe.errors import Misconfigured, Unavailable
from dropscribe.jobs import Job
from dropscribe.obstacles import obstacle_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.hosts import Hosts
    from dropscribe.inbox_state import InboxState
    from dropscribe.jobs import Hands, Result


class ModelLooks:
    """Gives them to `hands` and keeps the obstacles of each inbox up to date."""

    def __init__(self, hosts: Hosts, hands: Hands) -> None:
        self._hosts = hosts
        self._hands = hands

    def hand_out(self, state: InboxState, now: float) -> None:
        """Every look that is due and for which a host has room."""
        for name, obstacle in state.obstacles.items():
            host = self._hosts[name]
            if now >= obstacle.check_at and host.room(now):
                state.obstacles[name] = replace(obstacle, check_at=now + schedule.PARK_CHECK)
                self._hosts.took(name)
                self._hands.give(Job(state.nothing(), name, check=True))

    def obstruct(self, state: InboxState, result: Result, failure: Misconfigured, now: float) -> None:
        """This failure stands in the way of the inbox at that host from now on."""
        host, known = result.job.host, state.obstacles.get(result.job.host)
        obstacle = obstacle_of(failure, result, known or state.overcome.get(host), now, time.time())
        state.obstacles[host] = obstacle if known is None else replace(obstacle, since=known.since)
        if known is None or known.reason != failure.reason:
            others = state.usable_hosts(self._hosts.running(state.rules.engine))
            log.step(
                "goes on without this host" if others else "parked",
                level="warning",
                inbox=state.name,
                host=host if others else "",
                reason=failure.reason,
                fix=failure.fix,
            )

    def took_in(self, state: InboxState, result: Result, now: float) -> None:
        """A look is over: the host rests, the obstacle stays, or it has gone."""
        obstacle = state.obstacles.get(result.job.host)
        match result.error:
            case Unavailable() as failure:
                self._hosts.failed(result.job.host, failure, now, while_reading=False)
            case Misconfigured() as failure:
                self.obstruct(state, result, failure, now)
            case None if obstacle is not None and obstacle.is_over(result.state, now):
                state.overcome[result.job.host] = state.obstacles.pop(result.job.host)
                log.step("resumed", inbox=state.name, host=result.job.host, after=obstacle.reason)

    def due(self, state: InboxState, now: float) -> Iterator[float]:
        """When each look may be made; none where a result will tell."""
        for name, obstacle in state.obstacles.items():
            host = self._hosts[name]
            # A busy host wakes us with its result.
            if host.room(now) or now < host.rests_until:
                yield max(obstacle.check_at, host.rests_until)
