"""Checks one piece against its section, names all that is wrong, goes on with what is right."""

from __future__ import annotations

import copy
import functools
import itertools
import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from dropscribe.config import schema
from dropscribe.config.unfit import Unfit, in_words, listed, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropscribe.config.findings import Findings
    from dropscribe.config.positions import Key

_FEW = 8
_MISSING = {
    "path": "missing; name the folder where scans arrive",
    "url": "missing; name the host, for instance http://localhost:11434",
}
# What other programs call it, and what people look for in the wrong place.
_MEANT = {
    "watch_dir": "path", "watch_folder": "path", "input": "path", "input_dir": "path", "folder":
    "path", "dir": "path", "directory": "path", "output_dir": "output.folder", "output_folder":
    "output.folder", "archive": "done", "processed": "done", "error": "failed", "errors": "failed",
    "retries": "tries", "attempts": "tries", "poll_interval": "rescan", "interval": "rescan",
    "polling": "watch", "debounce": "settle", "delay": "settle", "stability_delay": "settle",
    "model_name": "model", "models": "model", "instructions": "prompt", "temperature":
    "options.temperature", "num_ctx": "options.num_ctx", "num_predict": "options.num_predict",
    "timeout": "ollama.timeouts", "host": "ollama.hosts", "url": "ollama.hosts", "ollama_url":
    "ollama.hosts", "endpoint": "ollama.hosts", "loglevel": "log.level", "log_level": "log.level",
    "watch_folders": "inboxes", "rotate": "prepare.turn", "orientation": "prepare.turn", "page_separator":
    "output.page_break", "separator": "output.page_break", "page_limit": "max_pages", "max_bytes":
    "limits.bytes", "max_size": "limits.bytes", "max_pixels": "limits.pixels", "memory_limit":
    "limits.memory", "limits.pages": "max_pages",
}  # fmt: skip


S = TypeVar("S", bound=schema.Section)


def checked(model: type[S], data: Any, at: Key, findings: Findings) -> S | None:
    """What is right in `data`, with defaults where it is not; None when too little is right to go on."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
    for one in wrong:
        _report(model, one, at, findings)
    try:
        return model.model_validate(_without(data, [one["loc"] for one in wrong]))
    except ValidationError:
        return None


def _without(data: Any, places: Sequence[Key]) -> Any:
    """A copy without the keys that lead to `places`; a list with a wrong entry goes as a whole."""
    kept = copy.deepcopy(data)
    for place in places:
        names = list(itertools.takewhile(lambda part: isinstance(part, str), place))
        holder = kept
        for name in names[:-1]:
            holder = holder.get(name, {})
        if names:
            holder.pop(names[-1], None)
    return kept


def _report(model: type[schema.Section], wrong: Any, at: Key, findings: Findings) -> None:
    key, kind = at + wrong["loc"], wrong["type"]
    if kind == "missing":
        findings.problem(_MISSING.get(str(key[-1]), "missing"), key)
    elif kind == "extra_forbidden":
        findings.problem(_unknown(model, wrong["loc"], at), key, at_key=True)
    else:
        error = wrong.get("ctx", {}).get("error")
        unfit = error if isinstance(error, Unfit) else _built_in(wrong)
        findings.unfit(unfit, wrong["input"], key)


def _built_in(wrong: Any) -> Unfit:
    """What pydantic found wrong by itself."""
    value, context = wrong["input"], wrong.get("ctx", {})
    match wrong["type"]:
        case "literal_error":
            choices = re.findall("'([^']*)'", context["expected"])
            meant = nearest(value, choices) if isinstance(value, str) else None
            return Unfit(listed(choices), f'did you mean "{meant}"?' if meant else "")
        case "list_type":
            return Unfit("a list", f"write [{quoted(value)}]" if isinstance(value, str) else "")
        case "too_short":
            return Unfit("a list with at least one entry", got="an empty list")
        case "model_type":
            first = {"Host": "url", "Inbox": "path"}.get(context["class_name"])
            hint = f"write {first}: {in_words(value)}" if first and isinstance(value, str) else ""
            return Unfit("keys and values", hint)
        case _:
            return Unfit("something else", wrong["msg"])


# --- unknown keys


def _unknown(model: type[schema.Section], loc: Key, at: Key) -> str:
    here = tuple(str(part) for part in at + loc[:-1] if isinstance(part, str))
    name = str(loc[-1])
    known = _section(model, loc[:-1])
    alike = nearest(name, known)
    if alike and alike.replace("_", "") == re.sub("[-_ ]", "", name).casefold():
        return f'unknown key; did you mean "{alike}"?'
    if here == ("defaults",) and name in {"path", "name"}:
        return f'unknown key here; each inbox has a "{name}" of its own'
    meant = (_MEANT.get(f"{here[-1]}.{name}", "") if here else "", name, _MEANT.get(name.casefold(), ""))
    if elsewhere := next(filter(None, (_elsewhere(one, here) for one in meant)), ""):
        return f'unknown key here; did you mean "{elsewhere}"?'
    if alike:
        return f'unknown key; did you mean "{alike}"?'
    if len(known) <= _FEW:
        return f"unknown key; known here: {', '.join(known)}"
    return "unknown key; `dropscribe init --example` shows all keys"


def _section(model: type[schema.Section], loc: Key) -> list[str]:
    for part in loc:
        if isinstance(part, str):
            model = schema.inner(model)[part]
    return list(schema.keys(model))


def _elsewhere(meant: str, here: tuple[str, ...]) -> str:
    """Where this key belongs, as seen from `here`; empty when it belongs nowhere."""
    tail = tuple(meant.split("."))
    places = [place for place in _ways() if place[-len(tail) :] == tail]
    if not meant or not places:
        return ""
    best = max(places, key=lambda place: _shared(place, here))
    below = best[len(here) :] if best[: len(here)] == here else best
    return ".".join(
        f"{part}[]" if part in {"inboxes", "hosts"} and part != best[-1] else part for part in below
    )


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@functools.cache
def _ways() -> tuple[tuple[str, ...], ...]:
    return tuple(_below(schema.Top, ()))


def _below(model: type[schema.Section], way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    inner = schema.inner(model)
    # What belongs into ollama or into all inboxes is suggested before what belongs into one.
    for name in sorted(schema.keys(model), key=lambda name: name == "inboxes"):
        yield (*way, name)
        if name in inner:
            yield from _below(inner[name], (*way, name))
