"""Simulated time: it passes only while nobody works, from one thing that is due to the next.

The daemon's own thread waits in `Simulation.wait`, its slots in `Simulation.pause`. When all of them wait, the time
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
class Pause:
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
        self._pauses: list[Pause] = []
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

    def pause(self, seconds: float, stop: Stop) -> None:
        """Raises Stopped."""
        self.spend(self.a_pause(seconds), stop)

    def a_pause(self, seconds: float) -> Pause:
        return Pause(self._now + max(0.0, seconds), next(self._numbers))

    def spend(self, pause: Pause, stop: Stop) -> None:
        with stop.calls(pause.woken.set):
            with self._lock:
                self._pauses.append(pause)
            if self.bell is not None:
                self.bell.nudge()
            pause.woken.wait()
        with self._lock:
            if pause in self._pauses:
                self._pauses.remove(pause)
        stop.check()

    def hasten(self, pause: Pause) -> None:
        with self._lock:
            pause.due = self._now

    # --- the daemon's thread

    def wait(self, bell: Bell, seconds: float) -> bool:
        self.bell = bell
        until = self._now + seconds
        while True:
            if self._working():
                rung = bell.wait(_STUCK)
                # It may have been the nudge of one that began to wait; then there is a pass too many at most.
                if rung or self._working():
                    return rung
            elif bell.wait(0):
                return True
            elif self._leap(until):
                return bell.wait(0)

    def _working(self) -> bool:
        with self._lock:
            return self.busy > len(self._pauses)

    def _leap(self, until: float) -> bool:
        """To what is due first; true if that is a pass."""
        with self._lock:
            pause = min(self._pauses, key=lambda each: (each.due, each.number), default=None)
        event = self._events[0][0] if self._events else float("inf")
        slot = pause.due if pause else float("inf")
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
        assert pause is not None
        self._now = max(self._now, pause.due)
        with self._lock:
            self._pauses.remove(pause)
        pause.woken.set()
        return False


class Instant(Simulation):
    """A time in which every wait is over at once: for one thread, without a daemon."""

    def spend(self, pause: Pause, stop: Stop) -> None:
        stop.check()
        self._now = max(self._now, pause.due)


class _Stop(Stop):
    def __init__(self, simulation: Simulation) -> None:
        super().__init__()
        self._simulation = simulation

    def wait(self, seconds: float) -> bool:
        try:
            self._simulation.pause(seconds, self)
        except Stopped:
            return True
        return self.is_set()
