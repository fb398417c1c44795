"""Simulated time: it passes only while nobody works, from one thing that is due to the next.

The daemon's own thread waits in `Simulation.wait`, its slots in `Simulation.sleep`. When all of them wait, the time
leaps to what is due first: something that befalls the world, the end of a slot's wait, or the daemon's next pass.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropscribe.daemon import Clock
from dropscribe.errors import Stopped
from dropscribe.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropscribe.intake.bell import Bell

START = 1000.0
_STUCK = 60.0
"""Real seconds without a sign of life from a slot that works, after which the simulation gives up."""


@dataclass(eq=False)
class Sleeper:
    """A slot that waits until `due`; whoever knows it may hasten that."""

    due: float
    number: int
    woken: threading.Event = field(default_factory=threading.Event)


class Simulation(Clock):
    """The time, what will happen in it, and who waits for what."""

    def __init__(self) -> None:
        self.busy = 0
        """Jobs that the daemon has handed out, and whose results it has not taken in: as its status says."""
        self.bell: Bell | None = None
        self._now = START
        self._events: list[tuple[float, int, Callable[[], bool]]] = []
        self._sleepers: list[Sleeper] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def stop(self) -> Stop:
        return _Stop(self)

    def at(self, when: float, event: Callable[[], bool]) -> None:
        """`event` happens at `when`, in the daemon's own thread while it waits; the bell rings if it says so."""
        heapq.heappush(self._events, (when, next(self._numbers), event))

    # --- the slots

    def sleep(self, seconds: float, stop: Stop) -> None:
        """Raises Stopped."""
        self.sleep_as(self.sleeper(seconds), stop)

    def sleeper(self, seconds: float) -> Sleeper:
        return Sleeper(self._now + max(0.0, seconds), next(self._numbers))

    def sleep_as(self, sleeper: Sleeper, stop: Stop) -> None:
        with stop.calls(sleeper.woken.set):
            with self._lock:
                self._sleepers.append(sleeper)
            if self.bell is not None:
                self.bell.nudge()
            sleeper.woken.wait()
        with self._lock:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
        stop.check()

    def hasten(self, sleeper: Sleeper) -> None:
        with self._lock:
            sleeper.due = self._now

    # --- the daemon's thread

    def wait(self, bell: Bell, seconds: float) -> bool:
        self.bell = bell
        until = self._now + seconds
        while True:
            if self._working():
                rung = bell.wait(_STUCK)
                # It may have been the nudge of one that went to sleep; then there is a pass too many at most.
                if rung or self._working():
                    return rung
            elif bell.wait(0):
                return True
            elif self._leap(until):
                return bell.wait(0)

    def _working(self) -> bool:
        with self._lock:
            return self.busy > len(self._sleepers)

    def _leap(self, until: float) -> bool:
        """To what is due first; true if that is a pass."""
        with self._lock:
            sleeper = min(self._sleepers, key=lambda each: (each.due, each.number), default=None)
        event = self._events[0][0] if self._events else float("inf")
        slot = sleeper.due if sleeper else float("inf")
        if until < min(event, slot):
            self._now = max(self._now, until)
            return True
        if event <= slot:
            when, _, happens = heapq.heappop(self._events)
            self._now = max(self._now, when)
            if happens():
                assert self.bell is not None
                self.bell.ring()
            return False
        assert sleeper is not None
        self._now = max(self._now, sleeper.due)
        with self._lock:
            self._sleepers.remove(sleeper)
        sleeper.woken.set()
        return False


class Instant(Simulation):
    """A time in which every wait is over at once: for one thread, without a daemon."""

    def sleep_as(self, sleeper: Sleeper, stop: Stop) -> None:
        stop.check()
        self._now = max(self._now, sleeper.due)


class _Stop(Stop):
    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation

    def wait(self, seconds: float) -> bool:
        try:
            self._simulation.sleep(seconds, self)
        except Stopped:
            return True
        return self.is_set()
