"""The models in memory: slots, first come first served, and loading as the real scheduler does it."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.standin.wire import Talk

KEEP = 300.0
"""Seconds that a model stays loaded unless asked otherwise."""
_LOOK = 0.05  # seconds between two looks whether a waiting client is still there


@dataclass(slots=True)
class Runner:
    """One model: loaded with `num_ctx`, None while it is not; seconds are monotonic."""

    num_ctx: int | None = None
    busy: int = 0
    keep: float = KEEP
    idle_since: float = 0.0
    waiting: deque[object] = field(default_factory=deque)

    def forget_if_idle(self) -> None:
        if not self.busy and time.monotonic() >= self.idle_since + self.keep:
            self.num_ctx = None


class Runners:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._runners: dict[str, Runner] = {}

    @contextmanager
    def slot(
        self, name: str, num_ctx: int, keep: float | None, parallel: int, talk: Talk
    ) -> Iterator[Runner]:
        """A place at the model, once all who came before have theirs."""
        runner = self._enter(name, num_ctx, parallel, talk)
        if keep is not None:
            runner.keep = keep
        try:
            yield runner
        finally:
            with self._changed:
                runner.busy -= 1
                runner.idle_since = time.monotonic()
                runner.forget_if_idle()
                self._changed.notify_all()

    def load(self, runner: Runner, num_ctx: int, seconds: float, talk: Talk) -> None:
        """Loads it unless it is; a client that leaves meanwhile aborts the load."""
        if runner.num_ctx == num_ctx:
            return
        talk.wait_until(time.monotonic() + seconds)
        with self._changed:
            runner.num_ctx = num_ctx
            self._changed.notify_all()

    def drop(self, name: str) -> None:
        """Unloads it: the runner died, or was asked to go."""
        with self._changed:
            if name in self._runners:
                self._runners[name].num_ctx = None

    def loaded(self) -> dict[str, tuple[int, str]]:
        """For each model in memory its context and when it expires."""
        with self._changed:
            for runner in self._runners.values():
                runner.forget_if_idle()
            return {
                name: (runner.num_ctx, _expires(runner))
                for name, runner in self._runners.items()
                if runner.num_ctx is not None
            }

    def _enter(self, name: str, num_ctx: int, parallel: int, talk: Talk) -> Runner:
        ticket = object()
        with self._changed:
            runner = self._runners.setdefault(name, Runner())
            runner.waiting.append(ticket)
            try:
                while not (runner.waiting[0] is ticket and _free(runner, num_ctx, parallel)):
                    self._changed.wait(_LOOK)
                    talk.check()
                talk.check()
                runner.busy += 1
                if runner.num_ctx != num_ctx:
                    runner.num_ctx = None
            finally:
                runner.waiting.remove(ticket)
                self._changed.notify_all()
        return runner


def _free(runner: Runner, num_ctx: int, parallel: int) -> bool:
    runner.forget_if_idle()
    return runner.busy < (parallel if runner.num_ctx == num_ctx else 1)


def _expires(runner: Runner) -> str:
    if runner.keep == float("inf"):
        return "2318-11-23T23:47:16.854775807Z"
    left = runner.keep if runner.busy else runner.idle_since + runner.keep - time.monotonic()
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=left)
    return moment.isoformat().replace("+00:00", "Z")
