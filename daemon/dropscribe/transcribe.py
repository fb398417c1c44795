"""The story of one scan: taken up, read page by page, filed as done, or as failed with its reason."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dropscribe import __version__, log
from dropscribe.errors import BadAnswer, BadScan, Failure, Stopped, Withdrawn
from dropscribe.filer import Arrived, Place
from dropscribe.filing import render
from dropscribe.filing.shelf import split, stem_from
from dropscribe.intake.take import Taken, take
from dropscribe.read_page import SUSPECT, PageReader, models_of
from dropscribe.reading.document import Limits, open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.prove import usable

if TYPE_CHECKING:
    from dropscribe.config.values import Inbox
    from dropscribe.filer import Filer
    from dropscribe.ledger import Kind, Ledger, OpenScan, Page
    from dropscribe.reading.document import Document
    from dropscribe.reading.engines import Engine
    from dropscribe.stop import Stop
    from dropscribe.values import Fingerprint, Picture, Size

DEATHS = 3
"""A scan during whose decoding the process died this often is not decoded again."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What reading needs besides the scan: one for all scans that a slot reads."""

    ledger: Ledger
    filer: Filer
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
    taken = _take(scan, desk)
    if isinstance(taken, BadScan):
        return _refuse_unread(scan, taken, desk)
    try:
        record = desk.ledger.open_scan(
            inbox.name, scan.name, taken.sha256, taken.fingerprint.size, at=time.time()
        )
        arrived = Arrived(record, inbox.path, taken.fingerprint)
        if (intent := desk.ledger.intent(record.id)) and (where := desk.filer.finish(arrived)):
            return _ended(scan, Filed(intent.kind, where, intent.reason))
        return _read_and_file(scan, arrived, taken, engine, desk)
    finally:
        taken.path.unlink(missing_ok=True)


def _read_and_file(scan: Waiting, arrived: Arrived, taken: Taken, engine: Engine, desk: Desk) -> Filed:
    try:
        pages = _read(scan, taken, arrived.record, engine, desk)
        return _file_done(scan, arrived, pages, desk)
    except (BadScan, BadAnswer) as bad:
        return _file_failed(scan, arrived, bad, desk)
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
        )
    except BadScan as bad:
        return bad


# --- reading


def _read(scan: Waiting, taken: Taken, record: OpenScan, engine: Engine, desk: Desk) -> tuple[Page, ...]:
    if record.deaths >= DEATHS:
        raise BadScan(f"dropscribe itself broke down {record.deaths} times while working on this scan")
    inbox = scan.inbox
    rules = reading_rules(inbox)
    kept = desk.ledger.pages(record.id, rules)
    models = usable(engine, models_of(inbox), stop=desk.stop)
    reader = PageReader(engine, desk.ledger, inbox, record.id, scan.name, rules, models, desk.stop)
    with desk.ledger.risking(record.id):
        document = open_document(taken.path, Limits(inbox.limits.bytes, inbox.limits.pixels))
    with document:
        return tuple(
            kept.get(number) or _read_page(number, document, record, reader, desk)
            for number in range(1, document.pages + 1)
        )


def _read_page(number: int, document: Document, record: OpenScan, reader: PageReader, desk: Desk) -> Page:
    def picture_of(size: Size) -> Picture:
        with desk.ledger.risking(record.id):
            return prepare(document.page(number), size)

    return reader.read(number, picture_of)


def reading_rules(inbox: Inbox) -> str:
    """A short name of everything in the config that shapes the text of a page."""
    facts = [inbox.engine, inbox.models, inbox.prompt, sorted(inbox.options.items()), inbox.output.schema]
    return hashlib.sha256(json.dumps(facts, default=dict, sort_keys=True).encode()).hexdigest()[:16]


# --- filing


def _file_done(scan: Waiting, arrived: Arrived, pages: tuple[Page, ...], desk: Desk) -> Filed:
    output = scan.inbox.output
    rules = render.RenderRules(
        format=output.format,
        front_matter=output.front_matter,
        sidecar=output.sidecar,
        pages=output.pages,
        schema=output.schema is not None,
    )
    transcript = render.Transcript(tuple(render.PageText(page.page, page.text) for page in pages))
    rendered = render.render(transcript, _provenance(scan, arrived, pages, desk), rules)
    outputs = {each.suffix: each.data for each in rendered}
    where = desk.filer.file(arrived, _place(scan, arrived, "done"), outputs)
    return _ended(scan, Filed("done", where, pages=pages))


def _file_failed(scan: Waiting, arrived: Arrived, bad: BadScan | BadAnswer, desk: Desk) -> Filed:
    tries = tuple(
        render.TriedRecipe(t.page, t.recipe, t.sentence, t.seconds, t.text)
        for t in desk.ledger.tries(arrived.record.id)
        if t.verdict != SUSPECT
    )
    reason = render.Reason(
        scan=scan.name,
        inbox=str(scan.inbox.path),
        at=_now(),
        reason=bad.reason,
        fix=bad.fix,
        tries=tries,
    )
    place = _place(scan, arrived, "failed")
    outputs = {".reason.txt": render.render_reason(reason)}
    where = desk.filer.file(arrived, place, outputs, bad.reason)
    return _ended(scan, Filed("failed", where, bad.reason))


def _refuse_unread(scan: Waiting, bad: BadScan, desk: Desk) -> Filed:
    """A scan that cannot even be taken up has no digest: it is known by its fingerprint instead."""
    stand_in = f"unread:{scan.fingerprint.dev}:{scan.fingerprint.ino}:{scan.fingerprint.mtime_ns}"
    record = desk.ledger.open_scan(
        scan.inbox.name, scan.name, stand_in, scan.fingerprint.size, at=time.time()
    )
    return _file_failed(scan, Arrived(record, scan.inbox.path, scan.fingerprint), bad, desk)


def _place(scan: Waiting, arrived: Arrived, kind: Kind) -> Place:
    inbox, sub = scan.inbox, PurePosixPath(scan.name).parent
    root = inbox.done if kind == "done" else inbox.failed
    texts = inbox.output.folder if kind == "done" else inbox.failed
    name = _new_name(scan, arrived) if kind == "done" else PurePosixPath(scan.name).name
    return Place(
        kind=kind,
        folder=root / sub,
        name=name,
        texts=texts / sub,
        below={root / sub: root, texts / sub: texts},
        whole_name=kind == "failed",
    )


def _new_name(scan: Waiting, arrived: Arrived) -> str:
    stem, suffix = split(PurePosixPath(scan.name).name)
    wanted = stem_from(
        scan.inbox.output.name,
        stem=stem,
        ext=suffix.removeprefix("."),
        inbox=scan.inbox.name,
        date=datetime.now().astimezone(),
        sha256=arrived.record.sha256,
    )
    return wanted + suffix


def _provenance(scan: Waiting, arrived: Arrived, pages: tuple[Page, ...], desk: Desk) -> render.Provenance:
    first = pages[0]
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
        tries=len(desk.ledger.tries(arrived.record.id)) + len(pages),
        program=f"dropscribe {__version__}",
        verdicts=tuple(page.verdict for page in pages),
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
