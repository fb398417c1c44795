"""One exchange on a connection: bytes as Go's HTTP server sends them, and the client's leaving noticed."""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    import threading
    from collections.abc import Callable, Mapping

JSON = "application/json; charset=utf-8"
NDJSON = "application/x-ndjson"
PLAIN = "text/plain"
LAST_CHUNK = b"0\r\n\r\n"

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_ESCAPED = re.compile("[<>&\u2028\u2029]")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_BUFFER = 2048  # Go sends longer answers in chunks


class Gone(Exception):
    """The client left, or the server was closed."""


def go_json(value: object) -> bytes:
    """JSON as Go writes it: compact, `<`, `>` and `&` escaped."""
    text = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", _ENCODE(value))
    return text.encode("utf-8", "replace")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def head(status: int, fields: Mapping[str, object]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, f"Date: {formatdate(usegmt=True)}", "\r\n"]).encode("latin-1")


class Talk:
    """One request being answered. Every method raises Gone when there is nobody left to talk to.

    `status` is what was sent, 0 for nothing yet; `spent`: the connection cannot carry another request.
    """

    def __init__(
        self,
        connection: socket.socket,
        reader: io.BufferedIOBase,
        ended: threading.Event,
        *,
        bodiless: bool = False,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._ended = ended
        self._bodiless = bodiless
        self.status = 0
        self.pieces = 0
        self.spent = False
        self.before_last: Callable[[], None] = lambda: None

    def send(self, data: bytes, *, last: bool = False) -> None:
        """`last`: the answer is complete with these bytes, so it goes into the log before they leave."""
        if last:
            self.before_last()
        try:
            self._connection.sendall(data)
        except OSError as error:
            self.spent = True
            raise Gone from error

    def reply(self, status: int, body: bytes, kind: str, more: Mapping[str, object] | None = None) -> None:
        """A whole answer at once."""
        fields: dict[str, object] = {"Content-Type": kind} if kind else {}
        fields |= more or {}
        long = len(body) > _BUFFER and kind == JSON
        fields |= {"Transfer-Encoding": "chunked"} if long else {"Content-Length": len(body)}
        self.status = status
        framed = chunk(body) + LAST_CHUNK if long else body
        self.send(head(status, fields) + (b"" if self._bodiless else framed), last=True)

    def json(self, status: int, value: object, more: Mapping[str, object] | None = None) -> None:
        self.reply(status, go_json(value), JSON, more)

    def error(self, status: int, text: str) -> None:
        self.json(status, {"error": text})

    def gone(self) -> bool:
        if self._ended.is_set():
            return True
        try:
            return self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def check(self) -> None:
        if self.gone():
            self.spent = True
            raise Gone

    def wait_until(self, moment: float) -> None:
        """Until `moment` of the monotonic clock; ends at once when the client leaves."""
        self.check()
        watch = select.poll()
        watch.register(self._connection, select.POLLIN)
        while (left := moment - time.monotonic()) > 0:
            if watch.poll(left * 1000):
                self.check()
                self.work_until(moment)

    def work_until(self, moment: float) -> None:
        """The same, but as for a runner that encodes a picture: the client's leaving goes unnoticed."""
        if self._ended.wait(max(0.0, moment - time.monotonic())):
            raise Gone

    def hold(self) -> None:
        """Never a byte more, until the client leaves or the server is closed."""
        while True:
            self.wait_until(time.monotonic() + 3600)

    def drip(self, data: bytes, gap: float, wrap: Callable[[bytes], bytes] = bytes) -> None:
        """`data` byte by byte with `gap` seconds between."""
        for place in range(len(data)):
            self.wait_until(time.monotonic() + gap)
            self.send(wrap(data[place : place + 1]))

    def reset(self) -> None:
        """RST instead of an orderly end."""
        self.before_last()
        self.spent = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()  # the socket closes, and the RST leaves, only after its last user
        self._connection.close()

    def hang_up(self) -> None:
        """FIN, whatever is still missing."""
        self.before_last()
        self.spent = True


def stamp() -> str:
    """Now, as Go prints it."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds:09d}Z"
