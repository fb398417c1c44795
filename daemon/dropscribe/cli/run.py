"""`dropscribe run`: the daemon in the foreground."""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

import click

from dropscribe import log
from dropscribe.away import known
from dropscribe.cli.options import config_option, load_config
from dropscribe.daemon import run
from dropscribe.errors import ConfigError
from dropscribe.service.notify import manager_in
from dropscribe.signals import signals
from dropscribe.stop import Stop

if TYPE_CHECKING:
    from pathlib import Path

    from dropscribe.config.values import Config, Inbox


@click.command("run")
@config_option
def command(config: Path | None) -> int:
    """Watch the inboxes in the foreground until told to stop.

    SIGTERM or Ctrl-C ends it within two seconds; a scan that is being read stays in its inbox.
    """
    loaded = _load(config)
    log.configure(loaded.log.format, loaded.log.level)
    log.step("config", **_facts(loaded))
    for warning in loaded.warnings:
        log.step("config", level="warning", message=warning)
    # Where the loop hangs, a service manager ends us by SIGABRT: the log then says where each thread was.
    faulthandler.enable(2)
    stop = Stop()
    with signals(stop):
        run(loaded, stop, manager=manager_in(os.environ, os.getpid()))
    return 0


def _load(path: Path | None) -> Config:
    """An inbox that is not there is a mistake, unless it worked before: a share may be mounted late."""
    try:
        return load_config(path)
    except ConfigError:
        loaded = load_config(path, check_folders=False)
        missing = [inbox for inbox in loaded.inboxes if not (inbox.path.is_dir() or inbox.create)]
        if not missing or len(known(loaded.state, missing)) < len(missing):
            raise
        return loaded


def _facts(config: Config) -> dict[str, str]:
    """What one wants to know when the daemon does not do what one thinks it was told to do."""
    facts = {"config": str(config.path), "inboxes": "; ".join(map(_inbox, config.inboxes))}
    if any(inbox.models for inbox in config.inboxes):
        facts["hosts"] = ", ".join(host.url for host in config.ollama.hosts)
    return facts


def _inbox(inbox: Inbox) -> str:
    reader = ", ".join(inbox.models) or f"engine {inbox.engine}"
    return f"{inbox.name} ({inbox.path}, {reader})"
