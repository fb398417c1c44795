"""Addresses of Ollama hosts, read as Ollama itself reads OLLAMA_HOST; pure."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dropscribe.config.unfit import Unfit, quoted

_WANTED = "the address of a host such as http://localhost:11434"
_OLLAMA = 11434
_PORTS = {"http": 80, "https": 443}
# A server listens on "all addresses", but nobody can call that one (envconfig/config.go, ConnectableHost).
_CALLABLE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, never bound
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NAME = re.compile(r"[^\W_](?:[\w.-]{0,251}\w\.?)?")


def normalise(text: Any) -> str:
    """`nas`, `nas:11434`, `http://nas:11434/` as `http://nas:11434`; raises Unfit.

    Without a scheme the port is 11434. With one it is the scheme's own: `http://nas` stays, and is port 80.
    """
    # urlsplit drops tabs and line breaks in silence
    if not isinstance(text, str) or not text.strip() or not text.strip().isprintable():
        raise Unfit(_WANTED)
    parts = _split(text.strip())
    host, port = _host(parts, text), _port(parts, text)
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}" + (f":{port}" if port else "")


def identity(url: str) -> tuple[str, str, int]:
    """Equal for two normalised addresses of one server: `localhost` is `127.0.0.1` is `::1`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme, "localhost" if host in _LOOPBACK else host, parts.port or _PORTS[parts.scheme]


def leaves_out_port(url: str) -> bool:
    """Whether this is `http://nas`, written by somebody who may not know that it means port 80, not 11434."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.port is None


def _split(text: str) -> SplitResult:
    bare = "://" not in text
    if bare and _is_ipv6(text):
        text = f"[{text}]"
    try:
        parts = urlsplit(f"http://{text}" if bare else text)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise Unfit(_WANTED, got=_safe(text)) from None
    if parts.scheme not in _PORTS:
        raise Unfit(_WANTED, "the scheme is http or https", _safe(text))
    _refuse_extras(parts, text)
    return parts


def _refuse_extras(parts: SplitResult, text: str) -> None:
    if parts.username is not None or parts.password is not None:
        raise Unfit(_WANTED, "leave out the user and the password", _safe(text))
    extra = parts._replace(scheme="", netloc="").geturl()
    if extra.strip("/"):
        raise Unfit(_WANTED, f"leave out {quoted(extra)}, the path is added by dropscribe", _safe(text))


def _host(parts: SplitResult, text: str) -> str:
    host = parts.hostname or ""
    if not _is_ipv6(host) and host and not _NAME.fullmatch(host):
        raise Unfit(_WANTED, got=_safe(text))
    if not host and not parts.netloc.startswith(":"):
        raise Unfit(_WANTED, got=_safe(text))
    return _CALLABLE.get(host, host)


def _port(parts: SplitResult, text: str) -> int | None:
    if parts.port == 0:
        raise Unfit(_WANTED, "ports go from 1 to 65535", _safe(text))
    return parts.port or (None if "://" in text else _OLLAMA)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _safe(text: str) -> str:
    """The address without what may be a password."""
    return quoted(re.sub(r"(//|^)[^/]*@", r"\1…@", text))
