"""The decoding process: opens scans and prepares their pages, one request at a time, within its limits."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropscribe.errors import BadScan, WorldWrong
from dropscribe.reading import process
from dropscribe.reading.arrived import in_words
from dropscribe.reading.document import open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.wanted import limits_of, reply_with, steps_of, wanted_of
from dropscribe.words import bytes_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropscribe.reading.document import Document
    from dropscribe.reading.process import Reply
    from dropscribe.reading.wanted import Limits, Steps


class Decoder:
    """Does what requests say; the document of the last request stays open."""

    def __init__(self) -> None:
        self._document: Document | None = None
        self._known: tuple[Any, ...] = ()

    def work(self, request: Mapping[str, Any], _data: bytes) -> Reply:
        """The reply, whatever the scan is like: what goes wrong is said in it."""
        limits = limits_of(request)
        process.limit_memory(limits.memory, _IDLE)
        try:
            return self._do(request, limits)
        except (BadScan, WorldWrong) as failure:
            return {"failure": type(failure).__name__, "reason": failure.reason, "fix": failure.fix}, ()
        except MemoryError:
            self._forget()
            reason = f"decoding it needs more memory than the limit of {bytes_in_words(limits.memory)}"
            fix = "scan it at a lower resolution, or raise limits.memory in the config"
            return {"failure": "BadScan", "reason": reason, "fix": fix}, ()
        except Exception as fault:  # noqa: BLE001 - the one boundary of this process; the other end counts it
            return {"broke": _in_one_line(fault)}, ()

    def _do(self, request: Mapping[str, Any], limits: Limits) -> Reply:
        path = Path(request["path"])
        match request["do"]:
            case "forget":
                self._forget()
                return {}, ()
            case "arrived":
                return {"words": in_words(path, request["kind"], limits.pixels)}, ()
        steps = steps_of(request)
        document = self._opened(path, steps, limits)
        if request["do"] == "open":
            return {"pages": document.count}, ()
        wanted = wanted_of(request)
        return reply_with(prepare(document.page(wanted.number), wanted, steps))

    def _opened(self, path: Path, steps: Steps, limits: Limits) -> Document:
        known = (path, steps, limits)
        if self._document is None or self._known != known:
            self._forget()
            self._document = open_document(path, steps, limits)
            self._known = known
        return self._document

    def _forget(self) -> None:
        if self._document is not None:
            self._document.close()
            self._document = None


def _in_one_line(fault: Exception) -> str:
    """What nobody foresaw, for a reason that people read, and where it was, for who mends it."""
    place = traceback.extract_tb(fault.__traceback__)[-1]
    what = " ".join(f"{type(fault).__name__}: {fault}".split())
    return (
        f"dropscribe met a fault of its own in {Path(place.filename).name}, line {place.lineno} ({what:.200})"
    )


_IDLE = process.memory_reserved()


def main(descriptor: int) -> None:
    process.renounce()
    process.serve(descriptor, Decoder().work)


if __name__ == "__main__":
    main(int(sys.argv[1]))
