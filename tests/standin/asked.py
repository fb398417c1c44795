"""What a chat request asks for, read as strictly as by Go's JSON decoder and refused in its words; pure."""

from __future__ import annotations

import binascii
import json
import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.standin.pictures import Sight, look
from tests.standin.refused import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = {
    "model": (str, "string"),
    "messages": (list, "[]api.Message"),
    "stream": (bool, "bool"),
    "truncate": (bool, "bool"),
    "options": (dict, "map[string]interface {}"),
}
_MESSAGE = {"role": (str, "string"), "content": (str, "string"), "images": (list, "[]api.ImageData")}
_THINK = ("high", "medium", "low", "max")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SURROGATE = re.compile("[\ud800-\udfff]")
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


@dataclass(frozen=True)
class Message:
    role: str
    content: str
    images: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Request:
    """A chat request that is well formed; `keep_seconds` is infinite for ever, None when not given."""

    model: str
    messages: tuple[Message, ...]
    stream: bool
    format: Any
    think: bool | str | None
    keep_alive: str | float | None
    keep_seconds: float | None
    options: dict[str, Any]
    truncate: bool
    sights: tuple[Sight, ...]

    @cached_property
    def prompt(self) -> str:
        return next((message.content for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def sight(self) -> Sight | None:
        return self.sights[0] if self.sights else None

    @property
    def mark(self) -> int | None:
        return self.sights[0].mark if self.sights else None


def understand(body: bytes, *, current: bool) -> Request:
    """The request in `body`, its pictures looked at; raises Refused where Go's decoder does."""
    given = decode(body, "api.ChatRequest")
    _check(given, _FIELDS, "ChatRequest")
    messages = tuple(_message(message, current=current) for message in given.get("messages") or ())
    return Request(
        model=given.get("model") or "",
        messages=messages,
        stream=given.get("stream") is not False,
        format=given.get("format"),
        think=_think(given.get("think")),
        keep_alive=given.get("keep_alive"),
        keep_seconds=duration(given.get("keep_alive")),
        options=given.get("options") or {},
        truncate=given.get("truncate") is not False,
        sights=tuple(look(image, current=current) for message in messages for image in message.images),
    )


def decode(body: bytes, what: str) -> dict[str, Any]:
    """The first JSON value in `body`, which has to be an object; Go does not look at what follows it."""
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise Refused(400, "missing request body")
    try:
        value, _ = json.JSONDecoder(parse_constant=_constant).raw_decode(text)
    except json.JSONDecodeError as error:
        raise _syntax(text, error) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused(400, f"json: cannot unmarshal {_kind(value)} into Go value of type {what}")
    return value


def duration(value: Any) -> float | None:
    """Seconds of a `keep_alive`: a number of them or Go's `1h30m`; below zero is for ever."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused(400, f"Unsupported type: '{_kind(value)}'")
    seconds = _go_duration(value) if isinstance(value, str) else float(value)
    return math.inf if seconds < 0 else seconds


def _message(given: Any, *, current: bool) -> Message:
    if not isinstance(given, dict):
        raise Refused(400, f"json: cannot unmarshal {_kind(given)} into Go value of type api.Alias")
    _check(given, _MESSAGE, "Alias")
    images = given.get("images") or ()
    return Message(
        role=(given.get("role") or "").lower(),
        content=_SURROGATE.sub("\ufffd", given.get("content") or ""),
        images=tuple(_image(place, image, current=current) for place, image in enumerate(images)),
    )


def _image(place: int, text: Any, *, current: bool) -> bytes:
    if text is None:
        return b""
    what = f"Alias.images.{place} of type api.ImageData"
    if not isinstance(text, str):
        raise Refused(400, f"json: cannot unmarshal {_kind(text)} into Go struct field {what}")
    data = text.encode("utf-8", "replace")
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        wrong = illegal_byte(data)
    if wrong is None:
        return binascii.a2b_base64(data)
    why = f"illegal base64 data at input byte {wrong}"
    raise Refused(400, f"json: cannot unmarshal string into {what}: {why}" if current else why)


def illegal_byte(data: bytes) -> int | None:
    """Where Go's encoding/base64 finds the first fault, None when it finds none: line ends are skipped."""
    place, size, filled = 0, len(data), 0
    for place, byte in enumerate(data):  # noqa: B007 - used below
        if byte in _ALPHABET:
            filled = (filled + 1) % 4
        elif byte not in b"\r\n":
            break
    else:
        return size - filled if filled else None
    if data[place] != ord("=") or filled < 2:
        return place
    rest = data[place + 1 :]
    if filled == 2:
        skipped = len(rest) - len(rest.lstrip(b"\r\n"))
        second = place + 1 + skipped
        if second == size:
            return size
        if data[second] != ord("="):
            return second - 1
        rest = data[second + 1 :]
    left = rest.lstrip(b"\r\n")
    return size - len(left) if left else None


def _check(given: dict[str, Any], fields: Mapping[str, tuple[type, str]], struct: str) -> None:
    for key, (kind, go) in fields.items():
        value = given.get(key)
        if value is not None and not isinstance(value, kind):
            text = f"json: cannot unmarshal {_kind(value)} into Go struct field {struct}.{key} of type {go}"
            raise Refused(400, text)


def _think(value: Any) -> bool | str | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _THINK:
        return value
    shown = f'"{value}"' if isinstance(value, str) else json.dumps(value)
    raise Refused(
        400, f'invalid think value: {shown} (must be "high", "medium", "low", "max", true, or false)'
    )


def _go_duration(text: str) -> float:
    invalid = Refused(400, f'time: invalid duration "{text}"')
    sign, bare = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if bare == "0":
        return 0.0
    if re.fullmatch(r"\d+\.?\d*|\.\d+", bare):
        raise Refused(400, f'time: missing unit in duration "{text}"')
    parts = re.findall(r"(\d+\.?\d*|\.\d+)([^\d.]+)", bare)
    if not parts or "".join(number + unit for number, unit in parts) != bare:
        raise invalid
    for _, unit in parts:
        if unit not in _UNITS:
            raise Refused(400, f'time: unknown unit "{unit}" in duration "{text}"')
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)


def _syntax(text: str, error: json.JSONDecodeError) -> Refused:
    found = text[error.pos : error.pos + 1]
    unfinished = error.msg.startswith("Unterminated") or not found
    if unfinished or not text[error.pos :].strip():
        return Refused(400, "unexpected EOF")
    return Refused(400, f"invalid character '{found}' looking for beginning of value")


def _constant(name: str) -> None:
    raise Refused(400, f"invalid character '{name[0]}' looking for beginning of value")


def _kind(value: Any) -> str:
    names = {str: "string", bool: "bool", dict: "object", list: "array"}
    return names.get(type(value), "number")
