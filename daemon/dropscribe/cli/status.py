"""`dropscribe status`: what waits where and why."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from dropscribe import __version__
from dropscribe.cli.once import not_entered, not_verified, reasons, verified
from dropscribe.cli.options import config_option, console, load_config
from dropscribe.daemon import look_once
from dropscribe.status import ask_daemon
from dropscribe.words import duration_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from dropscribe.status import Status


@click.command("status")
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs: the same as one JSON object.")
def command(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 - click's form
    """Show what waits where and why.

    Asks the daemon; when none runs, looks at the folders itself and says so.
    """
    loaded = load_config(config, check_folders=False)
    status = ask_daemon(loaded.state) or look_once(loaded)
    if as_json:
        click.echo(json.dumps(status.as_json(), indent=2))
    else:
        show(status, console())
    return 0


def show(status: Status, on: Console) -> None:
    """The status for people."""
    if status.pid and status.started:
        since = duration_in_words(time.time() - status.started)
        on.print(f"dropscribe {__version__} runs (process {status.pid}, for {since})", highlight=False)
    else:
        on.print("no daemon runs on this state folder; start it with `dropscribe run`", highlight=False)
    on.print(_inboxes(status))
    if status.pid:
        on.print(_hosts(status))
    for line in (
        *reasons(status),
        *verified(status),
        *not_verified(status.inboxes),
        *_watches(status),
        *_learned(status),
        *not_entered(status),
    ):
        on.print(line, highlight=False, markup=False)


def _inboxes(status: Status) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("inbox")
    columns = ("arriving", "waiting", "reading", "unsupported")
    for heading in (*columns, "done today", "failed today"):
        table.add_column(heading, justify="right")
    for inbox in status.inboxes:
        counts = [str(inbox.counts[column]) for column in columns]
        table.add_row(Text(inbox.name), *counts, str(inbox.done_today), str(inbox.failed_today))
    return table


def _watches(status: Status) -> Iterator[str]:
    """A line for each inbox in which new scans are found by looking alone."""
    for inbox in status.inboxes:
        if inbox.watch and not inbox.parked:
            yield f"{inbox.name} is {inbox.watch}"


def _learned(status: Status) -> Iterator[str]:
    for inbox in status.inboxes:
        for gap in inbox.learned:
            yield (
                f"{inbox.name}: {gap.format} waits {gap.waits:.0f} s: this inbox's scanner was seen to go on after"
                f" {gap.gap:.0f} s"
            )


def _hosts(status: Status) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("host", "state", "busy", "next try"):
        table.add_column(heading)
    for host in status.hosts:
        again = (
            datetime.fromtimestamp(host.next_try).astimezone().strftime("%H:%M:%S") if host.next_try else ""
        )
        table.add_row(Text(host.name), host.state, f"{host.busy} of {host.parallel}", again)
    return table
