"""Finds, reads and checks a configuration; says everything that is wrong with it at once."""

from __future__ import annotations

import stat
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dropscribe.config import overlaps, pieces, places, positions, schema
from dropscribe.config.findings import Findings
from dropscribe.config.paths import ancestry
from dropscribe.config.resolve import Resolver, inherit
from dropscribe.config.sources import World, read_text
from dropscribe.config.unfit import Unfit
from dropscribe.config.values import Config, Inbox, Log, OllamaRules
from dropscribe.errors import ConfigError
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Config", "Inbox", "OllamaRules", "build", "from_text", "load"]


def load(path: Path | None, env: Mapping[str, str], cwd: Path, *, check_folders: bool = True) -> Config:
    """The configuration in `path`, or in the first place where there is one; raises ConfigError.

    Without `check_folders` an inbox that is not there (a share that is away) is no problem.
    """
    found = places.find(path, env, cwd)
    file = _as_seen_from(cwd, found)
    try:
        text = read_text(found)
    except Unfit as unfit:
        raise ConfigError(
            [shown(f"{file}: {unfit.hint}; `dropscribe init` writes a configuration")]
        ) from None
    document = positions.parse(text, file)
    findings = Findings(file, document)
    _warn_of_other_writers(found, findings)
    return _config(document.data, findings, World(found.parent, env, check_folders), found)


def from_text(
    text: str, file: str | Path, env: Mapping[str, str] | None = None, *, check_folders: bool = True
) -> Config:
    """The same from text that is, or will be, in `file`; raises ConfigError."""
    document = positions.parse(text, str(file))
    world = World(Path(file).absolute().parent, env or {}, check_folders)
    return _config(document.data, Findings(str(file), document), world, Path(file).absolute())


def build(mapping: Mapping[str, Any], base: Path, env: Mapping[str, str] | None = None) -> Config:
    """The same from plain data made by a program; relative paths start at `base`; raises ConfigError."""
    data = _plain(mapping)
    return _config(data, Findings("config", positions.Document(data)), World(base, env or {}), None)


def _config(data: Any, findings: Findings, world: World, path: Path | None) -> Config:
    top = _top(data, findings)
    resolver = Resolver(world, findings)
    rules, state = resolver.ollama(top.ollama), resolver.state(top.state)
    inboxes: dict[int, Inbox] = {}
    for number, raw in enumerate(_inboxes(data, findings)):
        keys = pieces.checked(schema.Inbox, raw, ("inboxes", number), findings)
        inbox = keys and resolver.inbox(number, inherit(top.defaults, keys), top.ollama)
        if inbox:
            inboxes[number] = inbox
    overlaps.check(inboxes, state, findings)
    if problems := findings.problems():
        raise ConfigError(problems)
    if path:
        _warn_of_scanners_that_configure(path, inboxes, findings)
    log = Log(top.log.format, top.log.level)
    return Config(path, rules, state, tuple(inboxes.values()), log, findings.warnings())


def _top(data: Any, findings: Findings) -> schema.Top:
    if data is None:
        findings.problem("there is nothing in it; `dropscribe init` writes a configuration", ())
        raise ConfigError(findings.problems())
    # Each inbox is checked by itself later: what is wrong with one must not hide what is wrong with another.
    stand_in = {"inboxes": [{"path": "."}]}
    top = pieces.checked(schema.Top, data | stand_in if isinstance(data, dict) else data, (), findings)
    if top is None:
        raise ConfigError(findings.problems())
    return top


def _inboxes(data: dict[str, Any], findings: Findings) -> list[Any]:
    at: positions.Key = ("inboxes",)
    if "inboxes" not in data:
        findings.problem("missing; name at least one folder to watch", at)
        return []
    found = data["inboxes"]
    if not isinstance(found, list) or not found:
        wanted = Unfit(
            "a list of inboxes", 'begin each with "- path: "', "an empty list" if found == [] else ""
        )
        findings.unfit(wanted, found, at)
        return []
    return found


def _warn_of_other_writers(path: Path, findings: Findings) -> None:
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        findings.warning("other users of this machine may change this file; chmod go-w takes that from them")


def _warn_of_scanners_that_configure(path: Path, inboxes: Mapping[int, Inbox], findings: Findings) -> None:
    around = ancestry(path.parent)
    for number, inbox in inboxes.items():
        if ancestry(inbox.path)[0] in around:
            words = (
                "this file lies in the inbox, so who may drop scans may also change the rules; move it away"
            )
            findings.warning(words, ("inboxes", number, "path"))


def _as_seen_from(cwd: Path, path: Path) -> str:
    return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)


def _plain(value: Any) -> Any:
    if isinstance(value, dict | MappingProxyType):
        return {shown(str(name)): _plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    return str(value) if isinstance(value, Path) else value
