"""The routes of the server, and the stand-in's own under /standin/."""

from __future__ import annotations

import ipaddress
import json
import sys
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.standin import models, received
from tests.standin.asked import Request, decode, understand
from tests.standin.chat import chat
from tests.standin.faults import EARLY
from tests.standin.pull import pull
from tests.standin.refused import Refused, runner_died
from tests.standin.wire import PLAIN, Gone, Talk

if TYPE_CHECKING:
    from tests.standin.script import Fault
    from tests.standin.server import Listener, Standin

_ROUTES = {
    "/": ("GET", "HEAD"),
    "/api/version": ("GET", "HEAD"),
    "/api/tags": ("GET", "HEAD"),
    "/api/ps": ("GET",),
    "/api/show": ("POST",),
    "/api/pull": ("POST",),
    "/api/chat": ("POST",),
}
_TOO_MUCH = 100 * 1024 * 1024  # the HTTP library of llama-server takes no more
_INSIDE = (".localhost", ".local", ".internal")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_args: Any) -> None:
        pass

    @property
    def _standin(self) -> Standin:
        return self.server.standin

    def _serve(self) -> None:
        body, whole = self._body()
        self._size = len(body)
        bodiless = self.command == "HEAD"
        talk = Talk(self.connection, self.rfile, self.server.ended, bodiless=bodiless)
        talk.spent = not whole
        path = urlsplit(self.path).path
        try:
            if path.startswith("/standin/"):
                self._own(talk, path, body)
            else:
                self._exchange(talk, path, body)
        except Gone:
            talk.spent = True
        self.close_connection = self.close_connection or talk.spent

    def _body(self) -> tuple[bytes, bool]:
        """The body, and whether it came whole."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunked()
        size = int(self.headers.get("Content-Length") or 0)
        try:
            body = self.rfile.read(size)
        except OSError:
            return b"", False
        return body, len(body) == size

    def _chunked(self) -> tuple[bytes, bool]:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            if self.rfile.readline() != b"\r\n":
                return b"".join(parts), False
        return b"".join(parts), self.rfile.readline() == b"\r\n"

    def _exchange(self, talk: Talk, path: str, body: bytes) -> None:
        """One request in the log from its arrival to its end."""
        given: dict[str, Any] | Request | Refused = self._understand(path, body)
        number = self._arrive(path, given)
        fault = None if talk.spent else self._standin.faults.take(path, *_named(given))
        log = self._standin.log

        def end(outcome: str = "", *, cut: bool = False) -> None:
            outcome = f"fault:{fault.kind}" if fault else outcome or _outcome(talk.status)
            log.end(number, status=talk.status, pieces=talk.pieces, outcome=outcome, cut=cut)

        talk.before_last = end
        try:
            talk.check()
            self._answer(talk, path, given, fault)
        except Refused as refused:
            talk.error(refused.status, refused.text)
        except Gone:
            cut = not self.server.ended.is_set()
            end(received.CUT_BY_CLIENT if cut else received.CUT_BY_SERVER, cut=cut)
            raise

    def _understand(self, path: str, body: bytes) -> dict[str, Any] | Request | Refused:
        """What stands in the body; a refusal is kept, for faults and foreign hosts come first."""
        if self.command != "POST":
            return {}
        try:
            if path == "/api/chat":
                return understand(body, current=self._standin.current)
            return decode(body, f"api.{path.rpartition('/')[2].capitalize()}Request")
        except Refused as refused:
            return refused

    def _arrive(self, path: str, given: dict[str, Any] | Request | Refused) -> int:
        headers = {sys.intern(name.lower()): sys.intern(value) for name, value in self.headers.items()}
        fields = received.asked(given) if isinstance(given, Request) else {"model": _named(given)[0]}
        return self._standin.log.arrive(self.command, path, headers, **fields)

    def _answer(
        self, talk: Talk, path: str, given: dict[str, Any] | Request | Refused, fault: Fault | None
    ) -> None:
        if fault and fault.kind in EARLY:
            EARLY[fault.kind](talk, fault, _named(given)[0])
        elif not self._allowed():
            talk.reply(403, b"", "")
        elif self.command not in _ROUTES.get(path, ()):
            self._no_route(talk, path)
        elif isinstance(given, Refused):
            raise given
        elif isinstance(given, Request):
            if self._standin.current and self._size > _TOO_MUCH:
                raise runner_died()
            chat(self._standin, talk, given, fault)
        else:
            self._other(talk, path, given)

    def _other(self, talk: Talk, path: str, given: dict[str, Any]) -> None:
        standin = self._standin
        if path == "/":
            talk.reply(200, b"Ollama is running", "text/plain; charset=utf-8")
        elif path == "/api/version":
            talk.json(200, {"version": standin.version})
        elif path == "/api/tags":
            have = list(standin.models.items())
            talk.json(200, {"models": [models.tag(*one, current=standin.current) for one in have]})
        elif path == "/api/ps":
            talk.json(200, {"models": self._loaded()})
        elif path == "/api/show":
            self._show(talk, given.get("model") or given.get("name") or "")
        else:
            pull(standin, talk, given)

    def _loaded(self) -> list[dict[str, object]]:
        listed = []
        for name, (num_ctx, expires) in self._standin.runners.loaded().items():
            model = self._standin.models.get(name)
            if model is None:
                continue
            entry = models.tag(name, model, current=False)
            del entry["modified_at"]
            listed.append(entry | {"expires_at": expires, "size_vram": 0, "context_length": num_ctx})
        return listed

    def _show(self, talk: Talk, name: str) -> None:
        found = models.find(self._standin.models, name)
        if found is None:
            raise Refused(404, f"model '{models.full_name(name)}' not found")
        talk.json(200, models.show(*found))

    def _no_route(self, talk: Talk, path: str) -> None:
        if self.command in _ROUTES.get(path.rstrip("/"), ()):
            status = 301 if self.command == "GET" else 307
            talk.reply(status, b"", "", {"Location": path.rstrip("/")})
        elif path in _ROUTES:
            talk.reply(405, b"405 method not allowed", PLAIN, {"Allow": ", ".join(_ROUTES[path])})
        else:
            talk.reply(404, b"404 page not found", PLAIN)

    def _allowed(self) -> bool:
        """As the server bound to loopback decides (allowedHostsMiddleware in server/routes.go)."""
        origin = urlsplit(self.headers.get("Origin", "")).hostname
        return _inside(_host(self.headers.get("Host", ""))) and (origin is None or _local(origin))

    def _own(self, talk: Talk, path: str, body: bytes) -> None:
        standin = self._standin
        if (self.command, path) == ("GET", "/standin/received"):
            talk.json(200, [asdict(entry) for entry in standin.received])
        elif (self.command, path) == ("DELETE", "/standin/faults"):
            standin.faults.clear()
            talk.json(200, {})
        elif (self.command, path) == ("POST", "/standin/faults"):
            try:
                given = json.loads(body)
                for fault in given if isinstance(given, list) else [given]:
                    standin.script(**fault)
            except (ValueError, TypeError) as error:
                talk.error(400, str(error))
            else:
                talk.json(200, {})
        else:
            talk.reply(404, b"no such path of the stand-in", PLAIN)


def _named(given: dict[str, Any] | Request | Refused) -> tuple[str | None, int | None]:
    """The model and the mark of a request, as far as it has them."""
    if isinstance(given, Request):
        return given.model, given.mark
    if isinstance(given, dict):
        return given.get("model") or given.get("name"), None
    return None, None


def _outcome(status: int) -> str:
    return received.ANSWERED if status < 400 else received.ERROR


def _host(header: str) -> str:
    return urlsplit(f"//{header}").hostname or ""


def _inside(host: str) -> bool:
    if host in ("", "localhost") or host.endswith(_INSIDE):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_unspecified


def _local(origin: str) -> bool:
    return origin in ("localhost", "127.0.0.1", "0.0.0.0")
