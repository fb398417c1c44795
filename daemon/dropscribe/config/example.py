"""Writes configurations: the full example with every default, the short one of `dropscribe init`; pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dropscribe.config import schema
from dropscribe.config.unfit import Unfit
from dropscribe.reading.models import IN_WORDS
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

_FEW = 6
_HEAD = """\
# yaml-language-server: $schema=dropscribe.schema.json
#
# Every key of dropscribe with its default, so that each line but the inbox's path may be left out.
# Durations are written 500ms, 5s, 2m, 1h30m or 1d, sizes 50MB or 2GiB.
# `dropscribe check` names everything that is wrong with a configuration, with its line and a remedy.
"""
# What stands where a key must be given.
_REQUIRED = {"path": "~/Scans/receipts", "url": "http://localhost:11434"}

_INIT = """\
# The rules of dropscribe. After a change: dropscribe check
# All keys with their defaults: dropscribe init --example

ollama:
  hosts:
    - url: http://localhost:11434   # where Ollama answers
  # Any vision model, once fetched: ollama pull {model}
  # Good readers: {by_memory}.
  model: {model}

inboxes:
  - path: {path}
    # Without Ollama, the embedded engine reads print, but neither handwriting nor tables:
    # engine: ocr
    # What the model is asked. Without a prompt it transcribes the page as it stands. One word names a prompt
    # that comes along: plain, markdown, table, handwriting, receipt, describe. Or say it in your own words:
    # prompt: |
    #   Transcribe this receipt. Put the shop, the date and the total on top.
    output:
      format: markdown   # markdown, text or json
    # A scan that was read goes to the folder done inside the inbox, together with its text.
    # One that could not be read goes to failed, together with the reason.
"""


def full() -> str:
    """The text of config.example.yaml."""
    return "\n".join([_HEAD, *_section(schema.Top), ""])


def short(path: str) -> str:
    """A configuration with one inbox; raises Unfit for a path that cannot be written in a text file."""
    if any("\ud800" <= char <= "\udfff" for char in path):
        raise Unfit("a folder whose name is UTF-8")
    model = schema.keys(schema.Ollama)["model"].default
    return _INIT.format(path=_text(path.replace("$", "$$")), model=model, by_memory=IN_WORDS)


def _section(model: type[schema.Section]) -> list[str]:
    fields, inner = schema.keys(model), schema.inner(model)
    if not inner and len(fields) <= _FEW:
        return _compact(fields)
    lines: list[str] = []
    for name, field in fields.items():
        about = (field.description or "").splitlines()
        lines += ["", *(f"# {line}" for line in about)]
        shown_whole = (
            name in inner and not (model is schema.Inbox and name == "options") and name != "defaults"
        )
        if shown_whole:
            lines += [
                f"{name}:",
                *_indented(_section(inner[name]), as_list=not isinstance(field.default, dict)),
            ]
        else:
            lines.append(f"{name}:{_value(name, field)}")
    return lines[1:]


def _compact(fields: Mapping[str, FieldInfo]) -> list[str]:
    """One line for each key, the comments below each other."""
    lines = {f"{name}:{_value(name, field)}": field.description or "" for name, field in fields.items()}
    column = max(len(line) for line in lines) + 3
    return [f"{line:{column}}# {about}" for line, about in lines.items()]


def _indented(lines: list[str], *, as_list: bool) -> list[str]:
    if not as_list:
        return [f"  {line}".rstrip() for line in lines]
    first = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    before = [f"  {line}" for line in lines[:first]]
    return [*before, f"  - {lines[first]}", *(f"    {line}".rstrip() for line in lines[first + 1 :])]


def _value(name: str, field: FieldInfo) -> str:
    value = _REQUIRED[name] if field.is_required() else field.default
    if value is None:
        return ""
    return f" {_text(value) if isinstance(value, str) else json.dumps(value)}"


def _text(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9~/][A-Za-z0-9_./~:-]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown(escaped)}"'  # its escapes are those of YAML
