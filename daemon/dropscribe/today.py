"""How many scans of each inbox ended today: asked of the ledger once a day, then counted along; main thread only."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from dropscribe.errors import WorldWrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dropscribe.ledger import Ledger


class Today:
    """The counts since midnight. Asking the ledger after each scan would cost more with each that ended before."""

    def __init__(self, ledger: Ledger, inboxes: Iterable[str]) -> None:
        self._ledger = ledger
        self._ended: dict[str, Counter[str]] = {inbox: Counter() for inbox in inboxes}
        self._midnight = 0.0
        self._is_stale = True

    def ended(self, inbox: str, kind: str) -> None:
        """One scan more ended as `kind`: done or failed."""
        self._ended[inbox][kind] += 1

    def ask_again(self) -> None:
        """Something ended of which nobody told here."""
        self._is_stale = True

    def counts(self, at: float, *, at_rest: bool) -> Mapping[str, Mapping[str, int]]:
        """For each inbox, what ended on the day of the Unix time `at`.

        The ledger is asked only `at_rest`: what is in hand may have ended there and would be counted twice.
        """
        day = datetime.fromtimestamp(at).astimezone()
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        if midnight != self._midnight:
            self._midnight, self._is_stale = midnight, True
            for counter in self._ended.values():
                counter.clear()
        if self._is_stale and at_rest:
            try:
                for inbox in self._ended:
                    self._ended[inbox] = Counter(self._ledger.counts(inbox, since=midnight))
                self._is_stale = False
            except WorldWrong:  # the numbers known last: a status ends nothing
                pass
        return self._ended
