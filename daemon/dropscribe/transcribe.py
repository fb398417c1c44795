"""The story of one scan: taken up, read page by page, filed as done, or as failed with its reason."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dropscribe import __version__, log
from dropscribe.errors import BadAnswer, BadScan, Failure, Stopped, Withdrawn
from dropscribe.filer import Arrived, Place
from dropscribe.filing import atomic, render
from dropscribe.filing.rights import Wanted
from dropscribe.filing.shelf import parted, split, stem_from
from dropscribe.intake.take import SEND_AGAIN, Taken, still_there, take
from dropscribe.pages import DEATHS, Pages, limits_of, steps_of
from dropscribe.read_page import SUSPECT, PageReader, models_of
from dropscribe.reading.decoding import TooSlowToDecode
from dropscribe.reading.prove import usable
from dropscribe.words import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dropscribe.config.values import Inbox
    from dropscribe.filer import Filer
    from dropscribe.ledger import Kind, Ledger, OpenScan, Page
    from dropscribe.reading.decoding import Decoding
    from dropscribe.reading.engines import Engine
    from dropscribe.reading.turning import Turner
    from dropscribe.stop import Stop
    from dropscribe.values import Fingerprint


_SLOW_PAGES = 3
"""So many pages of a scan may use up their time; each of the others could hold up everybody for as long."""


class Progress:
    """Which page of which scan is being read, for the status; used by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[tuple[str, str], tuple[int, int]] = {}

    def reading(self, inbox: str, scan: str, page: int, of: int) -> None:
        with self._lock:
            self._pages[inbox, scan] = page, of

    def over(self, inbox: str, scan: str) -> None:
        with self._lock:
            self._pages.pop((inbox, scan), None)

    def words(self, inbox: str, scan: str) -> str:
        """`page 38 of 100`; empty for a scan of one page, or one that is not being read."""
        with self._lock:
            page, of = self._pages.get((inbox, scan), (1, 1))
        return f"page {page} of {of}" if of > 1 else ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What reading needs besides the scan: one for all scans that a slot reads."""

    ledger: Ledger
    filer: Filer
    decoding: Decoding
    turner: Turner
    progress: Progress
    spool: Path
    stop: Stop


@dataclass(frozen=True, slots=True)
class Waiting:
    """A settled scan in its inbox; `young` while a cut-short file may still be arriving."""

    inbox: Inbox
    name: str
    fingerprint: Fingerprint
    young: bool
    local: bool


@dataclass(frozen=True, slots=True)
class Filed:
    """How it ended: `where` the scan lies now, and the reason if it failed."""

    kind: Kind
    where: Path
    reason: str = ""
    pages: tuple[Page, ...] = field(default=(), repr=False)


def transcribe(scan: Waiting, engine: Engine, desk: Desk) -> Filed:
    """Read and file one scan.

    Raises NotYet, Unavailable, Misconfigured, WorldWrong, Withdrawn and Stopped; the scan is then still in its
    inbox, and what was read of it is kept. A bad scan or a bad answer is no error here: it is filed as failed.
    """
    inbox = scan.inbox
    atomic.check_may_leave(inbox.path, scan.name)
    taken = _take(scan, desk)
    if isinstance(taken, BadScan):
        return _refuse_unread(scan, taken, desk)
    try:
        record = desk.ledger.open_scan(
            inbox.name, scan.name, taken.sha256, taken.fingerprint.size, at=time.time()
        )
        arrived = _arrived(scan, record, taken.fingerprint)
        if (intent := desk.ledger.intent(record.id)) and (where := desk.filer.finish(arrived)):
            return _ended(scan, Filed(intent.kind, where, intent.reason))
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
            return _file_failed(scan, arrived, reading, desk)
        return _file_done(scan, arrived, reading, desk)
    except BadScan as bad:
        return _file_failed(scan, arrived, _Reading(bad={0: bad}), desk)
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """The pages that were read, and why the others were not; number 0 stands for the whole scan."""

    count: int = 1
    pages: tuple[Page, ...] = ()
    bad: Mapping[int, BadScan | BadAnswer] = field(default_factory=dict)


def _read(scan: Waiting, taken: Taken, record: OpenScan, engine: Engine, desk: Desk) -> _Reading:
    if record.deaths >= DEATHS:
        raise BadScan(f"dropscribe itself broke down {record.deaths} times while working on this scan")
    inbox = scan.inbox
    if taken.cut_short:
        raise _ends_early(taken, inbox, desk)
    pages = Pages(desk.decoding, desk.turner, taken.path, inbox, desk.ledger, record.id, scan.name, desk.stop)
    try:
        count = pages.count()
        rules = reading_rules(inbox)
        engine.new_scan()
        models = usable(engine, models_of(inbox), stop=desk.stop)
        reader = PageReader(engine, desk.ledger, inbox, pages, record.id, scan.name, rules, models, desk.stop)
        return _read_pages(scan, count, desk.ledger.pages(record.id, rules), reader, desk)
    finally:
        pages.close()
        desk.progress.over(inbox.name, scan.name)


def _read_pages(
    scan: Waiting, count: int, kept: Mapping[int, Page], reader: PageReader, desk: Desk
) -> _Reading:
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
    return _Reading(count, tuple(good), bad)


def _ends_early(taken: Taken, inbox: Inbox, desk: Desk) -> BadScan:
    """How much is missing, by the structure of the file or by the rows that can be decoded."""
    about = desk.decoding.arrived(taken.path, taken.kind or "", limits_of(inbox))
    return BadScan(f"the picture ends early: {about}" if about else taken.cut_short, SEND_AGAIN)


def reading_rules(inbox: Inbox) -> str:
    """A short name of everything in the config that shapes the text of a page."""
    facts = [
        inbox.engine,
        inbox.models,
        inbox.prompt,
        sorted(inbox.options.items()),
        inbox.output.schema,
        asdict(steps_of(inbox)),
        inbox.prepare.turn,
    ]
    return hashlib.sha256(json.dumps(facts, default=dict, sort_keys=True).encode()).hexdigest()[:16]


# --- filing


def _file_done(scan: Waiting, arrived: Arrived, reading: _Reading, desk: Desk) -> Filed:
    output = scan.inbox.output
    rules = render.RenderRules(
        format=output.format,
        front_matter=output.front_matter,
        sidecar=output.sidecar,
        pages=output.pages,
        schema=output.schema is not None,
        page_break=output.page_break,
        page_part=parted(output.name)[1] or render.PAGE_PART,
    )
    transcript = render.Transcript(tuple(_texts(reading)))
    rendered = render.render(transcript, _provenance(scan, arrived, reading, desk), rules)
    outputs = {each.suffix: each.data for each in rendered}
    where = desk.filer.file(arrived, _place(scan, arrived, "done", reading.count), outputs)
    return _ended(scan, Filed("done", where, pages=reading.pages))


def _texts(reading: _Reading) -> Iterator[render.PageText]:
    """What stands for each page in the text: its own, or a note in its place."""
    read = {page.page: page for page in reading.pages}
    for number in range(1, reading.count + 1):
        if (page := read.get(number)) is not None:
            yield render.PageText(number, page.text, page.note)
        else:
            yield render.PageText(number, "", reading.bad[number].reason, unread=True)


def _file_failed(scan: Waiting, arrived: Arrived, reading: _Reading, desk: Desk) -> Filed:
    tries = tuple(
        render.TriedRecipe(t.page, t.recipe, t.sentence, t.seconds, t.text)
        for t in desk.ledger.tries(arrived.record.id, rules=reading_rules(scan.inbox))
        if t.verdict != SUSPECT
    )
    first = next(iter(reading.bad.values()))
    summary = _summary(reading)
    reason = render.Reason(
        scan=scan.name,
        inbox=str(scan.inbox.path),
        at=_now(),
        reason=summary,
        fix=first.fix,
        size=arrived.fingerprint.size,
        tries=tries,
        pages=reading.count,
        kept=tuple(render.PageText(page.page, page.text, page.note) for page in reading.pages),
    )
    place = _place(scan, arrived, "failed", reading.count)
    outputs = {".reason.txt": render.render_reason(reason)}
    where = desk.filer.file(arrived, place, outputs, summary)
    return _ended(scan, Filed("failed", where, summary))


def _summary(reading: _Reading) -> str:
    """Why the scan failed, in one clause: the same words in log, status and reason file."""
    number, failure = next(iter(reading.bad.items()))
    if reading.count == 1 or not number:
        return failure.reason
    others = len(reading.bad) - 1
    more = f", and so for {plural(others, 'other page')}" if others else ""
    return f"page {number} of {reading.count}: {failure.reason}{more}"


def _refuse_unread(scan: Waiting, bad: BadScan, desk: Desk) -> Filed:
    """A scan that cannot even be taken up has no digest: it is known by its fingerprint instead."""
    stand_in = f"unread:{scan.fingerprint.dev}:{scan.fingerprint.ino}:{scan.fingerprint.mtime_ns}"
    record = desk.ledger.open_scan(
        scan.inbox.name, scan.name, stand_in, scan.fingerprint.size, at=time.time()
    )
    arrived = _arrived(scan, record, scan.fingerprint)
    return _file_failed(scan, arrived, _Reading(bad={0: bad}), desk)


def _arrived(scan: Waiting, record: OpenScan, fingerprint: Fingerprint) -> Arrived:
    inbox = scan.inbox
    shared = (inbox.done, inbox.failed, inbox.output.folder)
    return Arrived(record, inbox.path, fingerprint, wanted_rights(inbox), shared)


def wanted_rights(inbox: Inbox) -> Wanted:
    return Wanted(inbox.file_mode, inbox.group)


def _place(scan: Waiting, arrived: Arrived, kind: Kind, pages: int) -> Place:
    inbox, sub = scan.inbox, PurePosixPath(scan.name).parent
    root = inbox.done if kind == "done" else inbox.failed
    texts = inbox.output.folder if kind == "done" else inbox.failed
    name = _new_name(scan, arrived, pages) if kind == "done" else PurePosixPath(scan.name).name
    return Place(
        kind=kind,
        folder=root / sub,
        name=name,
        texts=texts / sub,
        below={root / sub: root, texts / sub: texts},
        whole_name=kind == "failed",
    )


def _new_name(scan: Waiting, arrived: Arrived, pages: int) -> str:
    stem, suffix = split(PurePosixPath(scan.name).name)
    wanted = stem_from(
        scan.inbox.output.name,
        stem=stem,
        ext=suffix.removeprefix("."),
        inbox=scan.inbox.name,
        date=datetime.now().astimezone(),
        sha256=arrived.record.sha256,
        pages=pages,
    )
    return wanted + suffix


def _provenance(scan: Waiting, arrived: Arrived, reading: _Reading, desk: Desk) -> render.Provenance:
    pages = reading.pages
    first = next((page for page in pages if page.model), pages[0])
    read = {page.page: page.verdict for page in pages}
    return render.Provenance(
        scan=scan.name,
        inbox=scan.inbox.name,
        sha256=arrived.record.sha256,
        size=arrived.fingerprint.size,
        read_at=_now(),
        engine=scan.inbox.engine,
        model=first.model,
        model_digest=first.digest,
        host=first.host,
        recipe=first.recipe,
        seconds=round(sum(page.seconds for page in pages), 1),
        tries=len(desk.ledger.tries(arrived.record.id, rules=reading_rules(scan.inbox))) + len(pages),
        program=f"dropscribe {__version__}",
        verdicts=tuple(read.get(number, "unread") for number in range(1, reading.count + 1)),
    )


def _ended(scan: Waiting, filed: Filed) -> Filed:
    log.step(
        "filed" if filed.kind == "done" else "failed",
        level="info" if filed.kind == "done" else "warning",
        inbox=scan.inbox.name,
        scan=scan.name,
        to=str(filed.where),
        reason=filed.reason,
    )
    return filed


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
