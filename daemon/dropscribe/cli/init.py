"""`dropscribe init`: a commented configuration and its inbox."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropscribe.cli.options import config_option
from dropscribe.config import example, load, places
from dropscribe.config.unfit import Unfit
from dropscribe.errors import ConfigError, UsageError, world_wrong
from dropscribe.words import shown

if TYPE_CHECKING:
    from dropscribe.config.values import Inbox

_INBOX = "~/Scans/inbox"


@click.command("init")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
@config_option
@click.option(
    "--example", "full", is_flag=True, help="Print a configuration with every key and its default, and end."
)
def command(folder: Path | None, config: Path | None, full: bool) -> None:  # noqa: FBT001 - click's form
    """Write a commented configuration and make its inbox.

    DIR is the inbox to make, by default ~/Scans/inbox: a folder for scanner and phone to drop scans into,
    with done and failed inside it. An existing configuration is never overwritten.
    """
    if full:
        click.echo(example.full(), nl=False)
        return
    target = places.new(config, os.environ, Path.cwd())
    text = _text(str(Path.cwd() / folder) if folder else _INBOX)
    inbox = load.from_text(text, target, os.environ, check_folders=False).inboxes[0]
    if os.path.lexists(target):
        raise _exists(target)
    _make(inbox.path)
    _make(target.parent)
    _write(target, text)
    _tell(inbox, target)


def _text(inbox: str) -> str:
    try:
        return example.short(inbox)
    except Unfit as unfit:
        raise UsageError(unfit.sentence(inbox)) from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise world_wrong(error, folder) from error


def _write(target: Path, text: str) -> None:
    """Never over a file that is there, whoever made it a moment ago; a file cut short does not stay."""
    try:
        with target.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                target.unlink()
                raise
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        raise world_wrong(error, target) from error
    target.chmod(target.stat().st_mode & ~0o022)


def _exists(target: Path) -> UsageError:
    return UsageError(shown(f"{target} exists already and is left as it is; `dropscribe check` checks it"))


def _tell(inbox: Inbox, target: Path) -> None:
    named = "" if _is_found(target) else f" -c {shlex.quote(str(target))}"
    lines = [
        f"config  {target}",
        f"inbox   {inbox.path}",
        "",
        "What to do next:",
        f"  ollama pull {inbox.models[0]}   (without Ollama: write `engine: ocr` into the inbox; that reads print)",
        f"  dropscribe check{named}",
        f"  dropscribe run{named}",
        "Then drop a scan into the inbox.",
    ]
    for line in lines:
        click.echo(shown(line))


def _is_found(target: Path) -> bool:
    """Whether verbs find this configuration without being told."""
    try:
        return places.find(None, os.environ, Path.cwd()) == target
    except ConfigError:
        return False
