"""How a page lies that says nothing about it: found out by reading it in every position that is likely."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dropscribe.errors import BadAnswer, Misconfigured, Unavailable
from dropscribe.reading.engines.ocr import PrintReader, models

if TYPE_CHECKING:
    from dropscribe.stop import Stop
    from dropscribe.values import Picture


class Turner:
    """One embedded reader for all pages of all scans; used by any thread, one page at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reader = PrintReader()

    @property
    def at_hand(self) -> bool:
        """Whether the embedded engine is installed."""
        try:
            models()
        except Misconfigured:
            return False
        return True

    def turn_of(self, picture: Picture, *, stop: Stop) -> int:
        """By how many degrees clockwise the page has to be turned to be read; 0 where that cannot be told.

        Raises Misconfigured where the embedded engine is not installed, WorldWrong, Stopped.
        """
        with self._lock:
            stop.check()
            try:
                return self._reader.read(picture, stop=stop).turn
            except (BadAnswer, Unavailable):
                return 0

    def rest(self) -> None:
        """Give the memory back until it is used again."""
        with self._lock:
            self._reader.rest()
