"""The log: one line per step with the scan's name as key; the only importer of structlog.

On a terminal in colour, under journald with priorities and without times, elsewhere plain, or JSON on request.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import structlog

from dropscribe.journal import is_journal, with_priority
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_COLOUR = {"warning": "\x1b[33m", "error": "\x1b[31m", "debug": "\x1b[2m"}
_SPACES = re.compile(r"\s{2,}")
_log = structlog.get_logger("dropscribe")


def configure(form: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Send the log to `stream` (standard error) as `auto`, `console`, `plain`, `journal` or `json`."""
    out = stream or sys.stderr
    render = {"console": _console, "plain": _plain, "journal": _journal, "json": _json}[_form(form, out)]
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _safe, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    # Libraries speak through the standard logging module; what they warn of belongs into the same log.
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = [_Libraries(logging.WARNING)]


def step(event: str, *, inbox: str = "", scan: str = "", level: str = "info", **facts: object) -> None:
    """One step of one scan, or of an inbox or host where `scan` is empty."""
    _log.log(_LEVELS[level], event, inbox=inbox, scan=scan, **facts)


def trouble(event: str, error: BaseException, *, inbox: str = "", scan: str = "") -> None:
    """An error that nobody foresaw, with its traceback: the one place where one is printed."""
    _log.error(event, inbox=inbox, scan=scan, error=repr(error))
    for line in "".join(traceback.format_exception(error)).splitlines():
        _log.error("traceback", line=line)


class _Lines:
    """Writes lines, and goes on without when they cannot be written: a log that is full must not end the daemon."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._out.write(
                line.encode(self._out.encoding or "utf-8", "backslashreplace").decode(
                    self._out.encoding or "utf-8"
                )
                + "\n"
            )
            self._out.flush()

    debug = info = warning = error = log = msg


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = "warning" if record.levelno < logging.ERROR else "error"
        step("library", level=level, name=record.name, message=record.getMessage())


def _form(form: str, out: TextIO) -> str:
    if form != "auto":
        return form
    if out.isatty():
        return "plain" if "NO_COLOR" in os.environ else "console"
    return "journal" if is_journal(out) else "plain"


def _safe(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = shown(value)
    return event


def _plain(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    level = event["level"]
    mark = "" if level in {"info", "debug"} else f"{level.upper()} "
    return f"{_now():%Y-%m-%d %H:%M:%S} {mark}{_line(event)}"


def _console(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    colour = _COLOUR.get(event["level"], "")
    return f"\x1b[2m{_now():%H:%M:%S}\x1b[0m {colour}{_line(event)}{colour and chr(27) + '[0m'}"


def _journal(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    level = event["level"]
    return with_priority(_line(event), level)


def _json(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    import json  # noqa: PLC0415 - only for those who ask for it

    return json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}, default=str)


def _line(event: MutableMapping[str, Any]) -> str:
    key = "/".join(_one_part(part) for part in (event.pop("inbox", ""), event.pop("scan", "")) if part)
    what = event.pop("event")
    event.pop("level")
    facts = "  ".join(
        f"{name}={_one_part(value)}" for name, value in event.items() if value not in ("", None)
    )
    return "  ".join(part for part in (key, what, facts) if part)


def _one_part(value: object) -> str:
    """Two spaces part a line: within a part they would let a name pass for steps and facts."""
    return _SPACES.sub(lambda found: " " + "\\x20" * (len(found[0]) - 1), str(value))


def _now() -> datetime:
    return datetime.now().astimezone()
