"""The least client that can talk to the stand-in, and what its tests look at."""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.standin import marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.standin.server import Standin

JSON = "application/json; charset=utf-8"
NDJSON = "application/x-ndjson"
TEXT_ONLY = {"model": "qwen3.5:4b", "messages": [{"role": "user", "content": "x"}]}
PATIENCE = 20
"""Seconds after which a socket of a test gives up."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def text(self) -> str:
        return "".join(line.get("message", {}).get("content", "") for line in self.lines)


def shot(number: int, kind: str = "PNG", **how: Any) -> bytes:
    """The bytes of a picture that carries `number`."""
    file = io.BytesIO()
    marks.draw(number, **how).save(file, kind)
    return file.getvalue()


def question(
    *pictures: bytes, model: str = "qwen3.5:4b", prompt: str = "Read it.", **more: Any
) -> dict[str, Any]:
    """The body of a chat request."""
    message = {"role": "user", "content": prompt}
    images = {"images": [base64.b64encode(picture).decode() for picture in pictures]} if pictures else {}
    return {"model": model, "messages": [message | images], "think": False} | more


@contextmanager
def connected(server: Standin) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as connection:
        yield connection


def ask(
    server: Standin,
    body: object = None,
    path: str = "/api/chat",
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own; `body` that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    with connected(server) as connection:
        connection.request(method, path, data, headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())


def get(server: Standin, path: str) -> Answer:
    return ask(server, None, path, "GET")


@contextmanager
def asked(server: Standin, body: object) -> Iterator[socket.socket]:
    """A socket on which a chat request was sent and nothing read."""
    data = json.dumps(body).encode()
    with closing(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) as connection:
        head = f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data)
        yield connection


def read_to(connection: socket.socket, mark: bytes) -> bytes:
    got = b""
    while mark not in got:
        more = connection.recv(65536)
        assert more, f"ended before {mark!r}: {got!r}"
        got += more
    return got


def until(condition: Callable[[], object]) -> None:
    assert any(condition() for _ in range(10_000)), "it never came to be"


def loaded(server: Standin) -> list[str]:
    return [one["name"] for one in get(server, "/api/ps").json["models"]]


def outcome(server: Standin) -> str:
    """What became of the last request, once it is through."""
    return server.wait_for(lambda received: received[-1].outcome)[-1].outcome
