"""The pages of one scan, from the decoding process, and what happens when that breaks down on one of them."""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from dropscribe import log
from dropscribe.errors import BadAnswer, BadScan, Failure, NotYet, Unavailable
from dropscribe.ledger import Try
from dropscribe.reading.decoding import Broke
from dropscribe.reading.models import EMBEDDED
from dropscribe.reading.wanted import Limits, Steps, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dropscribe.config.values import Inbox
    from dropscribe.ledger import Ledger
    from dropscribe.reading.decoding import Decoding
    from dropscribe.reading.second import Pending, SecondReader
    from dropscribe.reading.wanted import Prepared
    from dropscribe.stop import Stop
    from dropscribe.values import Picture, Size

BROKE = "broke down"
"""Verdict of a try that ended with the decoding process; whoever ended it may have had another reason."""

DEATHS = 3
"""A scan on which something broke down this often is not worked on again."""

T = TypeVar("T")


def steps_of(inbox: Inbox) -> Steps:
    """How pages of this inbox are prepared."""
    prepare = inbox.prepare
    return Steps(
        frames=inbox.pages == "all",
        dpi=inbox.pdf.dpi,
        text_layer=inbox.pdf.text_layer == "prefer" and inbox.output.schema is None,  # text is not JSON
        deskew=prepare.deskew,
        contrast=prepare.contrast,
        bands=_bands(inbox),
        blank=prepare.blank == "skip",
    )


def _bands(inbox: Inbox) -> Literal["", "long", "dense"]:
    if inbox.prepare.bands == "never" or inbox.output.schema is not None:  # pieces of JSON are not JSON
        return ""
    return "dense" if inbox.prepare.bands == "dense" else "long"


def limits_of(inbox: Inbox) -> Limits:
    """What decoding a scan of this inbox may cost."""
    limits = inbox.limits
    return Limits(limits.pixels, inbox.max_pages, limits.memory, limits.decoding)


def reading_rules(inbox: Inbox) -> str:
    """A short name of everything in the config that shapes the text of a page."""
    facts = [
        inbox.engine,
        inbox.models,
        inbox.prompt,
        inbox.preset,
        sorted(inbox.options.items()),
        inbox.output.schema,
        asdict(steps_of(inbox)),
        inbox.prepare.turn,
    ]
    return hashlib.sha256(json.dumps(facts, default=dict, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Pages:
    """The pages of the scan at `path`, which the ledger knows as `scan_id`; used by one thread."""

    decoding: Decoding
    second: SecondReader
    path: Path
    inbox: Inbox
    ledger: Ledger
    scan_id: int
    scan: str
    stop: Stop
    _last: tuple[Wanted, Prepared] | None = field(default=None)
    _turns: dict[int, int] = field(default_factory=dict)
    _turned: set[int] = field(default_factory=set)
    _second: dict[int, Pending] = field(default_factory=dict)

    def count(self) -> int:
        """Raises BadScan, NotYet, WorldWrong, Stopped."""
        return self._guarded(
            0, lambda: self.decoding.pages(self.path, steps_of(self.inbox), limits_of(self.inbox))
        )

    @property
    def can_turn(self) -> bool:
        """Whether a recipe may ask for a page to be turned: the embedded engine tells how it lies."""
        return self.inbox.engine != "ocr" and self.inbox.prepare.turn is None and self.second.at_hand

    def page(self, number: int, size: Size, *, bands: int = 1, turn: bool = False) -> Prepared:
        """Page `number` within `size`, in at least so many bands; `turn`: upright, also where the config
        does not ask for it. Raises BadScan, NotYet, WorldWrong, Misconfigured, Stopped.
        """
        wanted = Wanted(number, size, self.turn_of(number, wanted=turn), bands)
        if self._last is None or self._last[0] != wanted:
            self._last = None  # two of them in memory are one too many
            self._last = wanted, self._prepared(wanted, steps_of(self.inbox))
        return self._last[1]

    def turn_of(self, number: int, *, wanted: bool = False) -> int:
        """By how many degrees clockwise the page is turned; `wanted`: also where the config does not ask for it."""
        wanted = wanted or number in self._turned or bool(self.inbox.prepare.turn)
        if not wanted or self.inbox.engine == "ocr":  # which finds out by itself
            return 0
        if number in self._turns:
            return self._turns[number]
        turn = 0
        # Where nobody asked for it, the page is read as it lies whatever keeps the embedded engine from telling.
        with suppress(*((BadAnswer, Unavailable) if self.inbox.prepare.turn else (Failure,))):
            read = self.read_by_second(number).result(stop=self.stop)
            turn = read.turn if read else 0
        if turn:
            log.step("turned", inbox=self.inbox.name, scan=self.scan, page=number, degrees=turn)
        self._turns[number] = turn
        return turn

    def turn(self, number: int) -> int:
        """From now on the page is sent upright; by how many degrees it is turned for that."""
        self._turned.add(number)
        return self.turn_of(number)

    def read_by_second(self, number: int) -> Pending:
        """What the second reader makes of the page as it lies, begun now unless it was before."""
        if number not in self._second:
            self._second[number] = self.second.begin(
                lambda: self.whole(number), stop=self.stop, owner=self.path
            )
        return self._second[number]

    def forget_second(self, number: int) -> None:
        """Nobody asks any more what the second reader made of the page."""
        if pending := self._second.pop(number, None):
            pending.drop()

    def whole(self, number: int) -> Picture | None:
        """Page `number` in one picture for the embedded engine, as it lies; None where there is nothing to ask about.

        Unlike the rest, for any thread.

        Raises what `page` raises.
        """
        seen = self._prepared(Wanted(number, EMBEDDED), replace(steps_of(self.inbox), bands=""))
        return seen.pictures[0] if seen.pictures else None

    def _prepared(self, wanted: Wanted, steps: Steps) -> Prepared:
        limits = limits_of(self.inbox)
        return self._guarded(wanted.number, lambda: self.decoding.page(self.path, wanted, steps, limits))

    def close(self) -> None:
        self._last = None
        for number in list(self._second):
            self.forget_second(number)
        self.decoding.forget(self.path)

    def _guarded(self, number: int, work: Callable[[], T]) -> T:
        """A break-down counts against the page: three of them and it is bad, but not before."""
        began = time.monotonic()
        try:
            return work()
        except Broke as broke:
            sentence = f"decoding it broke down: {broke.how}"
            log.step(
                "broke down",
                level="warning",
                inbox=self.inbox.name,
                scan=self.scan,
                page=number,
                how=broke.how,
            )
            tried = Try(number, "decoding", BROKE, sentence, "", time.monotonic() - began, time.time())
            self.ledger.add_try(self.scan_id, tried)
            broken = [t for t in self.ledger.tries(self.scan_id, number) if t.verdict == BROKE]
            if len(broken) < DEATHS:
                raise NotYet(f"{sentence}; it is tried again") from broke
            raise BadScan(
                f"decoding it broke down {len(broken)} times, at last so: {broke.how}",
                "save it again with another program, or raise limits.memory in the config",
            ) from broke
