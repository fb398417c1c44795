"""What the daemon tells systemd, if that started it: ready, how it goes, that it lives, that it stops (sd_notify(3)).

A sign of life is given by the loop that looks, after each of its turns, and never by a timer of its own: a timer
goes on when the work hangs.
"""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING

from dropscribe import log
from dropscribe.words import plural

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from dropscribe.status import Status

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_PATIENCE = 1.0  # seconds for a manager that has no room for another message
_SOONEST = 10  # turns in quick succession are told of ten times as often as needed, not a thousand times


class Manager:
    """The manager at the other end of NOTIFY_SOCKET; used by the main thread alone.

    `address` is a path, or a name of Linux with "@" in front; without one nothing is ever sent. `patience` is how
    many seconds the manager waits for a sign of life before it ends and restarts us; None: it does not.
    """

    def __init__(self, address: str = "", patience: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        # sd_watchdog_enabled(3): half of what the manager waits is the right pace.
        self._interval = patience / 2 if address and patience else None
        self._told_at = -math.inf
        self._line = ""
        self._ready = False
        self._deaf = False

    def turned(self, status: Status, now: float) -> float:
        """One turn of the loop is done, at `now` as all clocks here; at most so many seconds until the next one.

        The first turn makes us ready.
        """
        words = []
        if not self._ready:
            words.append("READY=1")
            self._ready = True
        if (line := headline(status)) != self._line:
            words.append(f"STATUS={line}")
            self._line = line
        if self._interval and now >= self._told_at + self._interval / _SOONEST:
            words.append("WATCHDOG=1")
            self._told_at = now
        self._tell(*words)
        return max(0.0, self._told_at + self._interval - now) if self._interval else math.inf

    def stopping(self, seconds: float) -> None:
        """From now on what is in hand is put down, which may take so many seconds more."""
        self._tell("STOPPING=1", "STATUS=putting down what is in hand", _extension(seconds))

    def _tell(self, *words: str) -> None:
        if not self._address or not words:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.settimeout(_PATIENCE)
                line.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            # It decides by itself what becomes of a service that it does not hear; no scan is the worse for it.
            if not self._deaf:
                log.step("the service manager cannot be told", level="warning", reason=error.strerror)
            self._deaf = True
        else:
            self._deaf = False


def manager_in(environment: MutableMapping[str, str], pid: int) -> Manager:
    """The manager that started process `pid`, if one did; its variables are taken out of `environment`.

    No process that we start may speak to it: it is not the one that the manager means.
    """
    address, period, of = (environment.pop(name, "") for name in _VARIABLES)
    if not address.startswith(("/", "@")):
        return Manager()
    meant = not of or of == str(pid)
    return Manager(address, int(period) / 1e6 if meant and period.isdecimal() and int(period) else None)


def headline(status: Status) -> str:
    """`3 inboxes, 12 waiting, 1 reading, 1 parked`; what is none of is left out."""
    counts = [inbox.counts for inbox in status.inboxes]
    facts = [plural(len(counts), "inbox", "inboxes")]
    states = {
        state: sum(count.get(state, 0) for count in counts) for state in ("arriving", "waiting", "reading")
    }
    states["parked"] = sum(1 for inbox in status.inboxes if inbox.parked)
    return ", ".join([*facts, *(f"{number:,} {state}" for state, number in states.items() if number)])


def _extension(seconds: float) -> str:
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}"
