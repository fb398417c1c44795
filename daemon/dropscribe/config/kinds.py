"""The kinds of values: what each must be, in words for people and as JSON schema for editors; pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from dropscribe.config import hosts, template, units
from dropscribe.config.unfit import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

AUTO = "auto"
QUOTES = "put it in quotes"
_NO_QUOTES = "write it without quotes"
_STRING: dict[str, Any] = {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Metadata of a pydantic field: `accept` gives the value or raises Unfit, `shape` is its JSON schema."""

    accept: Callable[[Any], Any]
    shape: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return BeforeValidator(self.accept).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, _core: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.shape)


class OrNothing:
    """Marks a section that may be left empty: `output:` alone is a section of defaults."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        empty = BeforeValidator(lambda value: {} if value is None else value)
        return empty.__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": "null"}]}


def _text(what: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit(what, QUOTES if _wants_quotes(value) else "")
        if not value.strip() or not is_text(value):
            raise Unfit(what)
        return value

    return check


def is_text(value: str) -> bool:
    """Whether it can be written to a file: no NUL, no half of a character."""
    return not re.search("[\0\ud800-\udfff]", value)


def _wants_quotes(value: Any) -> bool:
    """Whether YAML made something else of a text: 2024, no, {stem}."""
    braces = isinstance(value, dict) and any(held is None for held in value.values())
    return braces or isinstance(value, bool | int | float)


def _name(value: Any) -> str:
    text = _text("a name")(value)
    if problem := problem_with_name(text):
        raise Unfit("a name", problem)
    return text


def problem_with_name(text: str) -> str:
    """Why this cannot name an inbox, in logs, commands and names of files; empty when it can."""
    if not text.isprintable() or "/" in text:
        return "it must not contain slashes or control characters"
    if text != text.strip() or text.startswith((".", "-")) or not text:
        return "it must not begin with a dot, a dash or a space"
    return "it must have at most 100 characters" if len(text) > 100 else ""


def _collection(value: Any) -> str:
    what = "a file such as receipts.csv or receipts.jsonl"
    text = _text(what)(value)
    if not text.lower().endswith((".csv", ".jsonl")):
        raise Unfit(what, "its ending says what it becomes")
    if text.rpartition("/")[2].startswith("."):
        raise Unfit(what, "files with a leading dot are hidden")
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        looks_like_one = isinstance(value, str) and value.casefold() in {
            "true",
            "false",
            "yes",
            "no",
            "on",
            "off",
        }
        raise Unfit("true or false", _NO_QUOTES if looks_like_one else "")
    return value


def _auto_or_flag(value: Any) -> bool | None:
    if value == AUTO:
        return None
    try:
        return _flag(value)
    except Unfit as unfit:
        raise Unfit(f"{AUTO}, {unfit.what}", unfit.hint) from None


def verify(value: Any) -> str:
    """YAML takes on and off for true and false."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value not in (AUTO, "on", "off"):
        hint = "on_check stands beside it" if isinstance(value, dict) else ""
        raise Unfit("auto, on or off", hint)
    return str(value)


def whole(low: int, high: int) -> Kind:
    """A whole number in these bounds, both included."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Unfit(f"a whole number from {low} to {high}", _number_hint(value))
        return value

    return Kind(check, {"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float) -> Kind:
    """A number in these bounds, both included."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Unfit(f"a number from {low:g} to {high:g}", _number_hint(value))
        return value

    return Kind(check, {"type": "number", "minimum": low, "maximum": high})


def _number_hint(value: Any) -> str:
    return _NO_QUOTES if isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else ""


def duration(low: str, high: str) -> Kind:
    """Text such as `5s` in these bounds, as seconds."""
    return Kind(_duration(low, high), _DURATION_SHAPE)


def auto_or_duration(low: str, high: str) -> Kind:
    """The same, or `auto` as None."""
    check = _duration(low, high)

    def check_or_auto(value: Any) -> float | None:
        if value == AUTO:
            return None
        try:
            return check(value)
        except Unfit as unfit:
            raise Unfit(f"{AUTO} or {unfit.what}", unfit.hint) from None

    return Kind(check_or_auto, {"anyOf": [{"const": AUTO}, _DURATION_SHAPE]})


_DURATION_SHAPE: dict[str, Any] = {"type": "string", "pattern": units.DURATION}


def _duration(low: str, high: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        seconds = units.parse_duration(value)
        if not units.parse_duration(low) <= seconds <= units.parse_duration(high):
            raise Unfit(f"a duration from {low} to {high}")
        return seconds

    return check


def size(low: str, high: str) -> Kind:
    """Text such as `50MB` in these bounds, as bytes."""

    def check(value: Any) -> int:
        amount = units.parse_size(value)
        if not units.parse_size(low) <= amount <= units.parse_size(high):
            raise Unfit(f"a size from {low} to {high}")
        return amount

    return Kind(check, {"type": "string", "pattern": units.SIZE})


def _file_mode(value: Any) -> int | None:
    """Octal digits, as chmod takes them."""
    if value == AUTO:
        return None
    what = f'{AUTO} or rights such as "0664"'
    if not isinstance(value, str):
        raise Unfit(what, QUOTES if _wants_quotes(value) else "")
    if not re.fullmatch("0?[0-7]{3}", value):
        raise Unfit(what, "three digits from 0 to 7: for the owner, the group and all others")
    mode = int(value, 8)
    if not mode & 0o400:
        raise Unfit(what, "the owner must be able to read it")
    if mode & 0o111:
        raise Unfit(what, "a text is no program; folders get their x by themselves")
    return mode


_LARGEST_GROUP = 2**32 - 2


def _group(value: Any) -> str | int | None:
    """Whether there is such a group is not asked here."""
    if value == AUTO:
        return None
    if isinstance(value, str) and value and value.isprintable():
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_GROUP:
        return value
    raise Unfit(f"{AUTO}, or the name or the number of a group", QUOTES if isinstance(value, bool) else "")


def _model(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not value or " " in value:
        raise Unfit("a model such as qwen3.5:4b", QUOTES if _wants_quotes(value) else "")
    return value


def _models(value: Any) -> tuple[str, ...]:
    if value == [] or isinstance(value, dict) or value is None:
        raise Unfit("a model such as qwen3.5:4b, or a list of models")
    return tuple(_model(one) for one in value) if isinstance(value, list) else (_model(value),)


_GO_DURATION = r"-?(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ns|us|µs|ms|s|m|h))+"
_SECONDS_FOR_EVER = 2**31


def _keep_alive(value: Any) -> str | int:
    if isinstance(value, str) and re.fullmatch(_GO_DURATION, value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _SECONDS_FOR_EVER:
        return value
    raise Unfit("a duration such as 30m, a number of seconds, or -1 for ever")


def _option(value: Any) -> Any:
    values = value if isinstance(value, list) else [value]
    if not all(_is_sane(one) for one in values):
        raise Unfit("a number, text, true or false, or a list of these")
    return tuple(value) if isinstance(value, list) else value


def _is_sane(value: Any) -> bool:
    if isinstance(value, str):
        return is_text(value)
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**63


Text = Annotated[str, Kind(_text("text"), _STRING)]
Folder = Annotated[str, Kind(_text("a folder"), _STRING)]
File = Annotated[str, Kind(_text("a file"), _STRING)]
Collection = Annotated[
    str, Kind(_collection, {"type": "string", "pattern": r"\.([cC][sS][vV]|[jJ][sS][oO][nN][lL])$"})
]
Pattern = Annotated[str, Kind(_text("a pattern such as *.jpg"), _STRING)]
Name = Annotated[str, Kind(_name, _STRING | {"maxLength": 100})]
Flag = Annotated[bool, Kind(_flag, {"type": "boolean"})]
AutoOrFlag = Annotated[bool | None, Kind(_auto_or_flag, {"anyOf": [{"const": AUTO}, {"type": "boolean"}]})]
"""`auto` as None."""
Verify = Annotated[
    Literal["auto", "on", "off"],
    Kind(verify, {"anyOf": [{"enum": [AUTO, "on", "off"]}, {"type": "boolean"}]}),
]
Url = Annotated[str, Kind(hosts.normalise, _STRING)]
Template = Annotated[str, Kind(template.check, _STRING)]
Break = Annotated[str, Kind(template.check_break, _STRING)]
Model = Annotated[str, Kind(_model, _STRING)]
Models = Annotated[
    tuple[str, ...],
    Kind(_models, {"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]}),
]
KeepAlive = Annotated[
    str | int,
    Kind(_keep_alive, {"anyOf": [{"type": "string", "pattern": f"^{_GO_DURATION}$"}, {"type": "integer"}]}),
]
FileMode = Annotated[
    int | None,
    Kind(_file_mode, {"anyOf": [{"const": AUTO}, {"type": "string", "pattern": "^0?[46][0246]{2}$"}]}),
]
Group = Annotated[
    str | int | None,
    Kind(_group, {"anyOf": [_STRING, {"type": "integer", "minimum": 0, "maximum": _LARGEST_GROUP}]}),
]
_OPTION: dict[str, Any] = {"type": ["number", "string", "boolean"]}
Option = Annotated[Any, Kind(_option, {"anyOf": [_OPTION, {"type": "array", "items": _OPTION}]})]
