"""Decoding scans in processes of their own, so that no file can stop the daemon or swell it."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dropscribe.errors import BadScan, DropscribeError, WorldWrong, world_wrong
from dropscribe.reading.process import Died, Process, TooSlow
from dropscribe.reading.wanted import Limits, Steps, prepared_of, request_for_page, request_for_pages
from dropscribe.words import duration_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dropscribe.reading.wanted import Prepared, Wanted
    from dropscribe.stop import Stop

_MOMENT = 5.0  # seconds, for what takes no time
_NO_STEPS, _NO_LIMITS = Steps(), Limits()


class Broke(DropscribeError):
    """The decoding process ended instead of answering: the scan may be the cause, or whoever ended it.

    `how` says in words how it ended.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class TooSlowToDecode(BadScan):
    """A page that used up its time: a scan with several of them is not tried to its end."""


class Decoding:
    """At most `most` decoding processes, started when needed and kept warm; used by any thread."""

    def __init__(self, most: int, stop: Stop, module: str = "dropscribe.reading.decoder") -> None:
        self._module = module
        self._stop = stop
        self._room = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._idle: list[tuple[str, Process]] = []
        """Each with the scan that it has open, the one used last at the end."""

    def pages(self, path: Path, steps: Steps, limits: Limits) -> int:
        """How many pages the scan has. Raises BadScan, WorldWrong, Broke, Stopped."""
        head, _ = self._ask(path, request_for_pages(path, steps, limits), limits.seconds)
        pages = head.get("pages")
        if not isinstance(pages, int) or not 1 <= pages <= limits.pages:
            raise Broke(f"it said something that is no number of pages ({pages!r:.40})")
        return pages

    def page(self, path: Path, wanted: Wanted, steps: Steps, limits: Limits) -> Prepared:
        """One page, ready to be asked about. Raises BadScan, WorldWrong, Broke, Stopped."""
        head, data = self._ask(path, request_for_page(path, wanted, steps, limits), limits.seconds)
        try:
            return prepared_of(head, data)
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            raise Broke(f"it said something that is no answer ({error})") from error

    def arrived(self, path: Path, kind: str, limits: Limits) -> str:
        """How much of a scan that ends early has arrived, in words; empty where that cannot be told."""
        request = {**request_for_pages(path, _NO_STEPS, limits), "do": "arrived", "kind": kind}
        try:
            return str(self._ask(path, request, limits.seconds)[0]["words"])
        except (BadScan, Broke):
            return ""

    def forget(self, path: Path) -> None:
        """The scan is done with; whoever has it open lets go of it."""
        with self._lock:
            holders = [pair for pair in self._idle if pair[0] == str(path)]
            self._idle = [pair for pair in self._idle if pair not in holders]
        for _, process in holders:
            with suppress(Died, TooSlow, DropscribeError):
                request = {**request_for_pages(path, _NO_STEPS, _NO_LIMITS), "do": "forget"}
                process.ask(request, seconds=_MOMENT, stop=self._stop)
                with self._lock:
                    self._idle.append(("", process))

    def rest(self) -> None:
        """End the processes that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, process in idle:
            process.close()

    def _ask(self, path: Path, request: Mapping[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        with self._room:
            try:
                with self._process(str(path)) as process:
                    head, data = process.ask(request, seconds=seconds, stop=self._stop)
            except TooSlow:
                raise TooSlowToDecode(
                    f"decoding it took longer than the limit of {duration_in_words(seconds)}",
                    "scan it at a lower resolution, or raise limits.decoding in the config",
                ) from None
            except Died as death:
                raise Broke(str(death)) from None
        reason, fix = str(head.get("reason", "")), str(head.get("fix", ""))
        match head.get("failure"):
            case "BadScan":
                raise BadScan(reason, fix)
            case "WorldWrong":
                raise WorldWrong(reason, fix)
        return head, data

    @contextmanager
    def _process(self, path: str) -> Iterator[Process]:
        process = self._warm(path) or _started(self._module)
        yield process
        # Not after an exception: then the process is gone.
        with self._lock:
            self._idle.append((path, process))

    def _warm(self, path: str) -> Process | None:
        """The one that has this scan open, else the one that was used last."""
        with self._lock:
            for dead in [pair for pair in self._idle if not pair[1].alive]:
                self._idle.remove(dead)
                dead[1].close()
            mine = [pair for pair in self._idle if pair[0] == path] or self._idle[-1:]
            if not mine:
                return None
            self._idle.remove(mine[-1])
            return mine[-1][1]


def _started(module: str) -> Process:
    """Raises WorldWrong: that no process can be had is nothing that a scan could do."""
    try:
        return Process(module)
    except OSError as error:
        raise world_wrong(error, "the decoding process") from error
    except (Died, TooSlow) as error:
        reason = f"the decoding process does not start: {str(error) or 'it says nothing'}"
        raise WorldWrong(reason, "install dropscribe anew") from error
