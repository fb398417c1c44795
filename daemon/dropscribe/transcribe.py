"""The story of one scan: taken up, read page by page, filed as done, or as failed with its reason."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dropscribe.desk import Filed, Reading
from dropscribe.errors import BadAnswer, BadScan, Failure, Stopped, Withdrawn, WorldWrong
from dropscribe.file_scan import arrived_as, ended, file_done, file_failed, refuse_unread, write_rows
from dropscribe.filing import atomic
from dropscribe.intake.take import SEND_AGAIN, Taken, still_there, take
from dropscribe.pages import DEATHS, Pages, limits_of, reading_rules
from dropscribe.read_page import PageReader, models_of
from dropscribe.reading.decoding import TooSlowToDecode
from dropscribe.reading.prove import usable
from dropscribe.verify import Verifier, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropscribe.config.values import Inbox
    from dropscribe.desk import Desk, Waiting
    from dropscribe.filer import Arrived
    from dropscribe.ledger import OpenScan, Page
    from dropscribe.reading.engines import Engine


_SLOW_PAGES = 3
"""So many pages of a scan may use up their time; each of the others could hold up everybody for as long."""


def transcribe(scan: Waiting, engine: Engine, desk: Desk) -> Filed:
    """Read and file one scan.

    Raises NotYet, Unavailable, Misconfigured, WorldWrong, Withdrawn and Stopped; the scan is then still in its
    inbox, and what was read of it is kept. A bad scan or a bad answer is no error here: it is filed as failed.
    """
    write_rows(scan.inbox, desk.filer)  # nobody is asked while rows of earlier scans cannot be written
    filed = _transcribe(scan, engine, desk)
    if filed.kind == "done":
        try:
            write_rows(scan.inbox, desk.filer)
        except WorldWrong as wrong:
            return replace(filed, owes=wrong)
    return filed


def _transcribe(scan: Waiting, engine: Engine, desk: Desk) -> Filed:
    inbox = scan.inbox
    atomic.check_may_leave(inbox.path, scan.name)
    taken = _take(scan, desk)
    if isinstance(taken, BadScan):
        return refuse_unread(scan, taken, desk)
    try:
        record = desk.ledger.open_scan(
            inbox.name, scan.name, taken.sha256, taken.fingerprint.size, at=time.time()
        )
        arrived = arrived_as(scan, record, taken.fingerprint)
        if (intent := desk.ledger.intent(record.id)) and (where := desk.filer.finish(arrived)):
            return ended(scan, Filed(intent.kind, where, intent.reason))
        return _read_and_file(scan, arrived, taken, engine, desk)
    finally:
        with suppress(
            OSError
        ):  # the scan is where it belongs all the same, and the next start clears the spool
            taken.path.unlink(missing_ok=True)


def _read_and_file(scan: Waiting, arrived: Arrived, taken: Taken, engine: Engine, desk: Desk) -> Filed:
    try:
        reading = _read(scan, taken, arrived.record, engine, desk)
        if reading.bad and (scan.inbox.on_bad_page == "fail" or not reading.pages):
            return file_failed(scan, arrived, reading, desk)
        return file_done(scan, arrived, reading, desk)
    except BadScan as bad:
        return file_failed(scan, arrived, Reading(bad={0: bad}), desk)
    except (Failure, Withdrawn, Stopped):
        raise
    except Exception:
        desk.ledger.blame(arrived.record.id)
        raise


def _take(scan: Waiting, desk: Desk) -> Taken | BadScan:
    try:
        return take(
            scan.inbox.path,
            scan.name,
            scan.fingerprint,
            desk.spool,
            limit=scan.inbox.limits.bytes,
            lease=scan.local,
            young=scan.young,
            stop=desk.stop,
            any_links=desk.ledger.intends(scan.inbox.name, scan.name),
        )
    except BadScan as bad:
        return bad


# --- reading


def _read(scan: Waiting, taken: Taken, record: OpenScan, engine: Engine, desk: Desk) -> Reading:
    if record.deaths >= DEATHS:
        raise BadScan(f"dropscribe itself broke down {record.deaths} times while working on this scan")
    inbox = scan.inbox
    if taken.cut_short:
        raise _ends_early(taken, inbox, desk)
    pages = Pages(desk.decoding, desk.second, taken.path, inbox, desk.ledger, record.id, scan.name, desk.stop)
    try:
        count = pages.count()
        rules = reading_rules(inbox)
        engine.new_scan()
        models = usable(engine, models_of(inbox), stop=desk.stop)
        reader = PageReader(engine, desk.ledger, inbox, pages, record.id, scan.name, rules, models, desk.stop)
        verifier = _verifier(inbox, pages, record, reader, desk)
        if verifier and not verifier.out:
            reader = replace(reader, asking=pages.read_by_second)
        reading = _read_pages(scan, count, desk.ledger.pages(record.id, rules), reader, desk)
        return _verified(reading, scan, verifier, desk) if verifier else reading
    finally:
        pages.close()
        desk.progress.over(inbox.name, scan.name)


def _read_pages(
    scan: Waiting, count: int, kept: Mapping[int, Page], reader: PageReader, desk: Desk
) -> Reading:
    """All pages in their order: a bad one does not lose the others."""
    good: list[Page] = []
    bad: dict[int, BadScan | BadAnswer] = {}
    slow = 0
    for number in range(1, count + 1):
        if (page := kept.get(number)) is not None:
            good.append(page)
            continue
        desk.stop.check()
        desk.progress.reading(scan.inbox.name, scan.name, number, count)
        if number > 1 and not still_there(scan.inbox.path, scan.name, scan.fingerprint):
            raise Withdrawn("it was taken away or changed while it was being read")
        if slow >= _SLOW_PAGES:
            bad[number] = BadScan(f"it was not tried, because {_SLOW_PAGES} pages before took too long")
            continue
        try:
            good.append(reader.read(number))
        except (BadScan, BadAnswer) as failure:
            bad[number] = failure
            slow += isinstance(failure, TooSlowToDecode)
    return Reading(count, tuple(good), bad)


def _verifier(
    inbox: Inbox, pages: Pages, record: OpenScan, reader: PageReader, desk: Desk
) -> Verifier | None:
    """None where pages are not to be verified, or nobody asked for it and it cannot be done."""
    if not wanted(inbox):
        return None
    out = desk.second.why_not(asked_for=inbox.verify == "on")
    if out is not None and inbox.verify != "on":
        return None
    return Verifier(inbox, pages, desk.ledger, record.id, record.name, reader, out, desk.stop)


def _verified(reading: Reading, scan: Waiting, verifier: Verifier, desk: Desk) -> Reading:
    """A scan that fails has no text that could be verified; what was read of it waits for its next try."""
    if reading.bad and (scan.inbox.on_bad_page == "fail" or not reading.pages):
        return reading
    pages = []
    for page in reading.pages:
        desk.progress.verifying(scan.inbox.name, scan.name, page.page, reading.count)
        pages.append(verifier.verified(page))
    return replace(reading, pages=tuple(pages))


def _ends_early(taken: Taken, inbox: Inbox, desk: Desk) -> BadScan:
    """How much is missing, by the structure of the file or by the rows that can be decoded."""
    about = desk.decoding.arrived(taken.path, taken.kind or "", limits_of(inbox))
    return BadScan(f"the picture ends early: {about}" if about else taken.cut_short, SEND_AGAIN)
