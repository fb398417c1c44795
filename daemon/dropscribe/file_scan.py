"""What is filed of a scan that was worked on: its text or the reason, under which name, in which folder."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from dropscribe import __version__, fields, log, provenance
from dropscribe.collect import LIST
from dropscribe.desk import Filed, Reading
from dropscribe.filer import Arrived, Place, rights_of
from dropscribe.filing import atomic, render
from dropscribe.filing.rights import Wanted
from dropscribe.filing.shelf import parted, split, stem_from
from dropscribe.ledger import Row
from dropscribe.pages import reading_rules
from dropscribe.read_page import SUSPECT
from dropscribe.verify import facts_of, verdict_of_scan
from dropscribe.words import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropscribe.config.values import Inbox
    from dropscribe.desk import Desk, Waiting
    from dropscribe.errors import BadScan
    from dropscribe.filer import Filer
    from dropscribe.ledger import Kind, OpenScan
    from dropscribe.values import Fingerprint


def file_done(scan: Waiting, arrived: Arrived, reading: Reading, desk: Desk) -> Filed:
    output = scan.inbox.output
    rules = render.RenderRules(
        format=output.format,
        front_matter=output.front_matter,
        sidecar=output.sidecar,
        pages=output.pages,
        schema=output.schema is not None,
        columns=fields.columns(output.schema or {}),
        page_break=output.page_break,
        page_part=parted(output.name)[1] or render.PAGE_PART,
    )
    transcript = render.Transcript(tuple(_texts(reading)))
    rendered = render.render(transcript, _provenance(scan, arrived, reading, desk), rules)
    outputs = {each.suffix: each.data for each in rendered}
    answers = _answers(scan.inbox, reading)
    place = _place(scan, arrived, "done", reading.count, answers)
    if scan.inbox.on_check == "review" and verdict_of_scan(reading.pages) == "check":
        place = _for_review(scan, place)
    where = desk.filer.file(arrived, place, outputs, row=_row(scan.inbox, answers))
    return ended(scan, Filed("done", where, pages=reading.pages))


def _texts(reading: Reading) -> Iterator[render.PageText]:
    """What stands for each page in the text: its own, or a note in its place."""
    read = {page.page: page for page in reading.pages}
    for number in range(1, reading.count + 1):
        if (page := read.get(number)) is not None:
            yield render.PageText(number, page.text, page.note)
        else:
            yield render.PageText(number, "", reading.bad[number].reason, unread=True)


def _answers(inbox: Inbox, reading: Reading) -> list[Any]:
    """What the schema was filled with, page by page; a page without text has none."""
    if inbox.output.schema is None:
        return []
    return [json.loads(page.text) for page in reading.pages if page.text.strip()]


def _row(inbox: Inbox, answers: list[Any]) -> Row | None:
    """A table has its cells side by side, a line of JSON the whole answer."""
    file, schema = inbox.output.collect, inbox.output.schema
    if file is None or schema is None:
        return None
    if file.suffix.lower() == LIST:
        # No more than was answered: a name with null may be against the schema that the answer follows.
        given = (name for answer in answers if isinstance(answer, dict) for name in answer)
        ways: dict[str, fields.Way] = {name: (name,) for name in given}
    else:
        ways = fields.columns(schema)
    cells = {name: fields.value_at(answers, way) for name, way in ways.items()}
    return Row(str(file.parent), file.name, str(inbox.done), json.dumps(cells))


def write_rows(inbox: Inbox, filer: Filer) -> int:
    """The rows that filed scans of this inbox still owe to its collection; how many there were. Raises WorldWrong."""
    return filer.collections.write(
        inbox.name,
        lambda folder: atomic.inside(Path(folder), inbox.path, *_shared(inbox)),
        lambda: rights_of(inbox.path, wanted_rights(inbox)),
    )


def file_failed(scan: Waiting, arrived: Arrived, reading: Reading, desk: Desk) -> Filed:
    tries = tuple(
        render.TriedRecipe(t.page, t.recipe, t.sentence, t.seconds, t.text, t.verdict)
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
    return ended(scan, Filed("failed", where, summary), first.fix)


def _summary(reading: Reading) -> str:
    """Why the scan failed, in one clause: the same words in log, status and reason file."""
    number, failure = next(iter(reading.bad.items()))
    if reading.count == 1 or not number:
        return failure.reason
    others = len(reading.bad) - 1
    more = f", and so for {plural(others, 'other page')}" if others else ""
    return f"page {number} of {reading.count}: {failure.reason}{more}"


def refuse_unread(scan: Waiting, bad: BadScan, desk: Desk) -> Filed:
    """A scan that cannot even be taken up has no digest: it is known by its fingerprint instead."""
    stand_in = f"unread:{scan.fingerprint.dev}:{scan.fingerprint.ino}:{scan.fingerprint.mtime_ns}"
    record = desk.ledger.open_scan(
        scan.inbox.name, scan.name, stand_in, scan.fingerprint.size, at=time.time()
    )
    arrived = arrived_as(scan, record, scan.fingerprint)
    return file_failed(scan, arrived, Reading(bad={0: bad}), desk)


def arrived_as(scan: Waiting, record: OpenScan, fingerprint: Fingerprint) -> Arrived:
    inbox = scan.inbox
    return Arrived(record, inbox.path, fingerprint, wanted_rights(inbox), _shared(inbox))


def _shared(inbox: Inbox) -> tuple[Path, ...]:
    return inbox.folders


def wanted_rights(inbox: Inbox) -> Wanted:
    return Wanted(inbox.file_mode, inbox.group)


def _place(scan: Waiting, arrived: Arrived, kind: Kind, pages: int, answers: Sequence[Any] = ()) -> Place:
    inbox, sub = scan.inbox, PurePosixPath(scan.name).parent
    root = inbox.done if kind == "done" else inbox.failed
    texts = inbox.output.folder if kind == "done" else inbox.failed
    name = _new_name(scan, arrived, pages, answers) if kind == "done" else PurePosixPath(scan.name).name
    return Place(
        kind=kind,
        folder=root / sub,
        name=name,
        texts=texts / sub,
        below={root / sub: root, texts / sub: texts},
        whole_name=kind == "failed",
    )


def _for_review(scan: Waiting, place: Place) -> Place:
    """Scan and text together, wherever texts go else: who looks at one wants the other beside it."""
    root = scan.inbox.review
    folder = root / PurePosixPath(scan.name).parent
    return replace(place, folder=folder, texts=folder, below={folder: root})


def _new_name(scan: Waiting, arrived: Arrived, pages: int, answers: Sequence[Any]) -> str:
    schema = scan.inbox.output.schema or {}

    def answer(name: str) -> str:
        way = fields.way_to(schema, name)
        return "" if way is None else fields.in_words(fields.value_at(answers, way))

    stem, suffix = split(PurePosixPath(scan.name).name)
    wanted = stem_from(
        scan.inbox.output.name,
        stem=stem,
        ext=suffix.removeprefix("."),
        inbox=scan.inbox.name,
        date=datetime.now().astimezone(),
        sha256=arrived.record.sha256,
        pages=pages,
        answer=answer,
    )
    return wanted + suffix


def _provenance(scan: Waiting, arrived: Arrived, reading: Reading, desk: Desk) -> render.Provenance:
    pages = reading.pages
    first = next((page for page in pages if page.model), pages[0])
    read = {page.page: page.verdict for page in pages}
    tries = [
        each
        for each in desk.ledger.tries(arrived.record.id, rules=reading_rules(scan.inbox))
        if each.verdict != SUSPECT
    ]
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
        tries=len(tries) + len(pages),
        program=f"dropscribe {__version__}",
        verification=facts_of(pages),
        verdicts=tuple(read.get(number, "unread") for number in range(1, reading.count + 1)),
        **provenance.of_pages(pages, tries),
    )


def ended(scan: Waiting, filed: Filed, fix: str = "") -> Filed:
    log.step(
        "filed" if filed.kind == "done" else "failed",
        level="info" if filed.kind == "done" else "warning",
        inbox=scan.inbox.name,
        scan=scan.name,
        to=str(filed.where),
        reason=filed.reason,
        fix=fix or None,
    )
    return filed


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
