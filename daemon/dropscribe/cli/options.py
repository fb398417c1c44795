"""What the verbs share: the option that names the configuration, and how it is loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from dropscribe.config.values import Config

_ENDLESS = 100_000

config_option = click.option(
    "-c",
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration; default: $DROPSCRIBE_CONFIG, ./dropscribe.yaml, the user's, /etc/dropscribe.",
)
"""Gives the command the argument `config`, a path or None."""


def load_config(config: Path | None, *, check_folders: bool = True) -> Config:
    """The configuration as `config_option` names it; raises ConfigError.

    Without `check_folders` an inbox that is away is no problem, for verbs that only tell.
    """
    # `--help` must not pay for pydantic
    from dropscribe.config.load import load  # noqa: PLC0415

    return load(config, os.environ, Path.cwd(), check_folders=check_folders)


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; elsewhere without end, so that no line is wrapped and no name is cut."""
    from rich.console import Console  # noqa: PLC0415 - not every verb needs it

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _ENDLESS
    return Console(stderr=stderr, width=width, emoji=False)  # :cat: in a name is no cat
