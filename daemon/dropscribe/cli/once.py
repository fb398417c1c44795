"""`dropscribe once`: read what is there, show progress, end."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dropscribe import log
from dropscribe.cli.options import config_option, console, load_config
from dropscribe.daemon import run
from dropscribe.inbox_status import ITS_TURN
from dropscribe.signals import signals
from dropscribe.stop import Stop
from dropscribe.words import plural, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from rich.console import Console

    from dropscribe.config.values import Config
    from dropscribe.status import InboxStatus, Status

_FOUND = {"verified": "verified", "check": "to be checked", "unverifiable": "could not be verified"}
_NAMED = 10  # scans to be checked
_PATIENCE = 3  # failures in a row, some fifteen seconds, before scans are left for another time


@click.command("once")
@config_option
def command(config: Path | None) -> int:
    """Read what is in the inboxes now, show progress, and end.

    Exit code 0 when every scan was read, 1 when one failed or is left or an inbox is parked, so that nobody knows
    what lies in it; files that are no scans do not count.
    """
    loaded = load_config(config)
    progress = console(stderr=True)
    # Steps and a progress bar would write over each other on a terminal; a file or a pipe gets the steps.
    log.configure(loaded.log.format, "error" if progress.is_terminal else loaded.log.level)
    stop = Stop()
    with signals(stop):
        last = read_all(loaded, stop, progress)
    report(last, console())
    return 1 if any(inbox.failed or left(inbox) or inbox.parked for inbox in last.inboxes) else 0


def read_all(config: Config, stop: Stop, on: Console) -> Status:
    """Run the daemon until nothing is left that it could read now."""
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=on, disable=not on.is_terminal, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("looking", total=None)

        def finished(status: Status) -> bool:
            ended = sum(inbox.done + inbox.failed for inbox in status.inboxes)
            left = sum(to_do(inbox) for inbox in status.inboxes)
            progress.update(task, completed=ended, total=ended + left, description=_under_way(status))
            return not any(may_go_on(inbox, status) for inbox in status.inboxes)

        return run(config, stop, until=finished)


def to_do(inbox: InboxStatus) -> int:
    """How many scans of this inbox are not filed yet."""
    return inbox.counts["arriving"] + inbox.counts["waiting"] + inbox.counts["reading"]


def left(inbox: InboxStatus) -> int:
    """How many scans of this inbox are not filed, those included that only a person can help (a pipe, say)."""
    return to_do(inbox) + inbox.counts["refused"]


def may_go_on(inbox: InboxStatus, status: Status) -> bool:
    """Whether a scan of this inbox may be read without anybody doing anything about it."""
    if inbox.counts["reading"]:
        return True
    if inbox.parked:
        return False
    if inbox.counts["arriving"] > inbox.counts["incomplete"]:
        return True
    hosts = [host for host in status.hosts if host.engine == inbox.engine]
    return inbox.counts["waiting"] > inbox.counts["kept_back"] and any(
        host.failures <= _PATIENCE for host in hosts
    )


def _under_way(status: Status) -> str:
    for inbox in status.inboxes:
        for scan in inbox.scans:
            if scan.state == "reading":
                return f"{inbox.name}/{shown(scan.name)}"
    arriving = any(inbox.counts["arriving"] for inbox in status.inboxes)
    return "waiting until the files are complete" if arriving else "looking"


def report(status: Status, on: Console) -> None:
    """A line for each inbox, then what was left with its reason."""
    table = Table(box=None, pad_edge=False)
    table.add_column("inbox")
    for heading in ("done", "failed", "left"):
        table.add_column(heading, justify="right")
    for inbox in status.inboxes:
        table.add_row(Text(inbox.name), str(inbox.done), str(inbox.failed), str(left(inbox)))
    on.print(table)
    # Who never had a second reader knows that; who lost it meanwhile does not.
    lost = not_verified(inbox for inbox in status.inboxes if inbox.pages)
    for line in (*reasons(status), *verified(status), *lost, *not_entered(status)):
        on.print(line, highlight=False, markup=False)


def not_verified(inboxes: Iterable[InboxStatus]) -> Iterator[str]:
    """Why the second reader finds nothing now."""
    for inbox in inboxes:
        if inbox.unverified:
            yield f"{inbox.name}: texts are not verified: {inbox.unverified}"


def verified(status: Status) -> Iterator[str]:
    """What waits for a person's look, and what the second reader found."""
    for inbox in status.inboxes:
        if waiting := inbox.counts.get("to_review", 0):
            yield f"{inbox.name}: {plural(waiting, 'scan')} in review; who moves one to done approves of its text"
        if inbox.pages:
            found = (
                f"{inbox.pages[word]:,} {words}" for word, words in _FOUND.items() if word in inbox.pages
            )
            yield f"{inbox.name}: pages since the start: {', '.join(found)}"
        if inbox.doubted:
            names = ", ".join(shown(name) for name in inbox.doubted[:_NAMED])
            more = ", …" if len(inbox.doubted) > _NAMED else ""
            yield f"{inbox.name}: to be checked: {names}{more}"


def not_entered(status: Status) -> Iterator[str]:
    """A line for each inbox with subfolders in which scans may lie unread; another inbox is none of them."""
    paths = [PurePath(inbox.path) for inbox in status.inboxes]
    for inbox in status.inboxes:
        names = [name for name in inbox.folders if not _holds_one(PurePath(inbox.path, name), paths)]
        count = inbox.counts["folders"] - len(inbox.folders) + len(names)
        if names:
            few = ", ".join(shown(name) for name in names[:3]) + (", …" if count > 3 else "")
            folders = plural(count, "folder is", "folders are")
            yield f"{inbox.name}: {folders} not looked into ({few}); set recursive: true for the scans in there"


def _holds_one(folder: PurePath, paths: list[PurePath]) -> bool:
    return any(folder in (path, *path.parents) for path in paths)


def reasons(status: Status) -> Iterator[str]:
    """One line for each thing that keeps a scan waiting."""
    for host in status.hosts:
        if host.reason:
            yield f"{host.name} rests: {host.reason}{_and(host.fix)}"
    said = {"", ITS_TURN, *(host.reason for host in status.hosts)}
    for inbox in status.inboxes:
        if inbox.parked:
            yield f"{inbox.name} is parked: {inbox.parked}{_and(inbox.fix)}"
        for scan in inbox.scans:
            if scan.reason not in {*said, inbox.parked}:
                yield f"{inbox.name}/{shown(scan.name)} is {scan.state}: {scan.reason}{_and(scan.fix)}"


def _and(fix: str) -> str:
    return f"; {fix}" if fix else ""
