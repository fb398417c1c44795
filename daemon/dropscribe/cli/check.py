"""`dropscribe check`: the configuration, with all its problems at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from dropscribe.cli.options import config_option, load_config
from dropscribe.config.schema import json_schema
from dropscribe.errors import ConfigError
from dropscribe.reading.second import SecondReader
from dropscribe.verify import wanted, why_not
from dropscribe.words import plural, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dropscribe.config.values import Config, Inbox


@click.command("check")
@config_option
@click.option("--schema", is_flag=True, help="Print the JSON schema of configurations, for editors, and end.")
@click.pass_context
def command(ctx: click.Context, config: Path | None, schema: bool) -> None:  # noqa: FBT001 - click's form
    """Check the configuration and name all its problems at once.

    Each problem is a line with file, line, column, key and the way to mend it. Exit code 2 when there is one.
    """
    if schema:
        click.echo(schema_text(), nl=False)
        return
    try:
        loaded = load_config(config)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo(plural(len(error.problems), "problem"), err=True)
        ctx.exit(2)
    _tell(loaded)


def schema_text() -> str:
    """The text of dropscribe.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tell(config: Config) -> None:
    rows = [_row(inbox) for inbox in config.inboxes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for warning in (*config.warnings, *_about_verifying(config)):
        click.echo(f"warning: {warning}", err=True)
    click.echo(shown(f"{config.path}: {plural(len(rows), 'inbox', 'inboxes')}, no problems"), err=True)


def _about_verifying(config: Config) -> Iterator[str]:
    """Where it was asked for and is not done."""
    second = SecondReader()
    for inbox in config.inboxes:
        asked_for = {"verify: on": inbox.verify == "on", "on_check: review": inbox.on_check == "review"}
        why = _why_unverified(inbox, second)
        for key in (key for key, asked in asked_for.items() if asked and why):
            yield shown(f"{inbox.name}: {key} is not used: {why}")


def _why_unverified(inbox: Inbox, second: SecondReader) -> str:
    if inbox.engine == "ocr":
        return "the embedded engine cannot vouch for itself"
    if inbox.verify == "off":
        return "nothing is verified with verify: off"
    if not wanted(inbox):
        return "answers that follow a schema are verified only with verify: on"
    return why_not(inbox, second)


def _row(inbox: Inbox) -> tuple[str, ...]:
    """Name, path, engine, models and output."""
    folder = inbox.output.folder
    where = folder.relative_to(inbox.path) if folder.is_relative_to(inbox.path) else folder
    output = f"{inbox.output.format} in {where}"
    return tuple(
        shown(cell) for cell in (inbox.name, str(inbox.path), inbox.engine, ", ".join(inbox.models), output)
    )
