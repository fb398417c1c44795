"""The second, independent reader of a page: the embedded engine, which never hears what the model said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropscribe.errors import BadAnswer, Unavailable
from dropscribe.reading.crosscheck import CrossCheck, Line, cross_check
from dropscribe.reading.engines.ocr import PrintReader, models

if TYPE_CHECKING:
    from dropscribe.stop import Stop
    from dropscribe.values import Picture


class SecondReader:
    """Used by one thread at a time."""

    def __init__(self) -> None:
        """Raises Misconfigured where the embedded engine is not installed."""
        models()
        self._reader = PrintReader()

    def check(self, text: str, picture: Picture, *, stop: Stop) -> CrossCheck:
        """What it finds of `text` on its page.

        Raises Misconfigured where it does not start, WorldWrong, Stopped.
        """
        try:
            read = self._reader.read(picture, stop=stop)
        except (BadAnswer, Unavailable) as failure:
            return CrossCheck("unverifiable", failure.reason)
        return cross_check(text, [Line(words, sure) for _, words, sure in read.lines])

    def rest(self) -> None:
        """Give the memory back until it is used again."""
        self._reader.rest()
