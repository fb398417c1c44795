"""HTTP to one host, every wait bounded and every wait cut by a stop; the only importer of requests and urllib3.

`requests` has no total timeout, a slow drip of bytes never meets its read timeout, and a blocked read cannot
watch an event. So a guard beside each request shuts the socket down when a deadline passes or the stop comes;
the blocked call then ends at once, and the guard knows why.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from dropscribe.errors import BadAnswer, Stopped, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropscribe.stop import Stop

_LINE_LIMIT = 4 * 1024 * 1024  # a line carries a token or two; a whole page unstreamed stays far below
_BODY_LIMIT = 32 * 1024 * 1024  # /api/show of a large model is some hundred kB
_ERROR_LIMIT = 64 * 1024
_SMALL_REQUEST = 10.0  # seconds for the requests that need no model
_READ = 64 * 1024
_LAST_WORDS = 1.0  # seconds for the end of the HTTP body after the end of the answer


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to the first byte of an answer, between bytes, and for the whole request."""

    connect: float = 5.0
    first_token: float = 600.0
    silence: float = 120.0
    total: float = 1800.0


class Wire:
    """One kept connection to one host, for one thread at a time."""

    def __init__(self, url: str, timeouts: Timeouts) -> None:
        self.url = url.rstrip("/")
        self._timeouts = timeouts
        self._sockets: set[socket.socket] = set()
        self._session = _session(self._opened)

    def close(self) -> None:
        self._session.close()
        self._sockets = set()

    def small(self, method: str, path: str, payload: Any = None, *, stop: Stop) -> tuple[int, bytes]:
        """Status and body of a request that needs no model, within ten seconds.

        Raises Unavailable, Stopped.
        """
        body = None if payload is None else json.dumps(payload).encode()
        quick = Timeouts(self._timeouts.connect, _SMALL_REQUEST, _SMALL_REQUEST, _SMALL_REQUEST)
        with self._request(method, path, body, quick, stop) as stream:
            return stream.status, stream.body(_BODY_LIMIT)

    @contextlib.contextmanager
    def post(self, path: str, body: bytes, *, stop: Stop) -> Iterator[Stream]:
        """The answer to `body`, streamed.

        Raises Unavailable, BadAnswer (an endless line), Stopped; also while the stream is read.
        """
        with self._request("POST", path, body, self._timeouts, stop) as stream:
            yield stream

    @contextlib.contextmanager
    def _request(
        self, method: str, path: str, body: bytes | None, timeouts: Timeouts, stop: Stop
    ) -> Iterator[Stream]:
        stop.check()
        guard = _Guard(self._cut)
        with stop.calls(guard.stop), guard, self._faults(guard):
            guard.expect("total", timeouts.total)
            guard.expect("first_token", timeouts.connect + timeouts.first_token)
            response = self._session.request(
                method,
                self.url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body else None,
                stream=True,
                timeout=(timeouts.connect, None),  # reads are the guard's business
                allow_redirects=False,
            )
            try:
                yield Stream(response, guard, timeouts.silence)
            finally:
                response.close()

    @contextlib.contextmanager
    def _faults(self, guard: _Guard) -> Iterator[None]:
        try:
            yield
        except (requests.RequestException, HTTPError, OSError) as error:
            self._drop_connections()
            if guard.fired == "stop":
                raise Stopped from error
            if guard.fired:
                raise self._too_slow(guard.fired) from error
            raise self._broken(error, began=guard.began) from error
        except BaseException:
            # An unfinished answer is still on the wire; closing tells the server to stop generating.
            self._drop_connections()
            raise

    def _too_slow(self, deadline: str) -> Unavailable:
        words = {
            "first_token": "sent nothing in the time allowed for the first token",
            "silence": "fell silent in the middle of its answer",
            "total": "did not finish its answer in the time allowed",
        }
        return Unavailable(f"{self.url} {words[deadline]}", "look at the server's log", suspect=True)

    def _broken(self, error: Exception, *, began: bool) -> Unavailable:
        if began:
            return Unavailable(f"{self.url} broke off in the middle of its answer", suspect=True)
        slow = isinstance(error, requests.exceptions.ConnectTimeout)
        what = "does not answer" if slow else _cause(error)
        return Unavailable(f"{self.url} {what}", "check that Ollama runs there", soon=True)

    def _opened(self, sock: socket.socket) -> None:
        # A new set each time: the guard of this request walks over it from its own thread.
        self._sockets = {known for known in self._sockets if known.fileno() != -1} | {sock}

    def _cut(self) -> None:
        for sock in self._sockets:
            # An already closed socket is fine: that request is over.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _drop_connections(self) -> None:
        self._sockets = set()
        for adapter in self._session.adapters.values():
            adapter.close()


class Stream:
    """An answer as it arrives."""

    def __init__(self, response: requests.Response, guard: _Guard, silence: float) -> None:
        self._response = response
        self._guard = guard
        self._silence = silence
        self.status = response.status_code
        self.headers = response.headers

    def lines(self) -> Iterator[bytes]:
        """Complete lines without their ends; an unfinished last line comes as it is."""
        rest = b""
        for block in self._blocks():
            *complete, rest = (rest + block).split(b"\n")
            yield from complete
            if len(rest) > _LINE_LIMIT:
                raise BadAnswer("flood", f"the server sent a line of more than {_LINE_LIMIT // 1024**2} MB")
        if rest:
            yield rest

    def body(self, limit: int = _ERROR_LIMIT) -> bytes:
        """The whole answer, cut at `limit` bytes."""
        kept = b""
        for block in self._blocks():
            kept += block
            if len(kept) >= limit:
                break
        return kept[:limit]

    def finish(self) -> None:
        """Read what little may follow the answer, so that the connection can be kept; nothing depends on it."""
        self._silence = _LAST_WORDS
        with contextlib.suppress(HTTPError, OSError):
            self._guard.expect("last words", _LAST_WORDS)
            self.body()

    def _blocks(self) -> Iterator[bytes]:
        while True:
            # Headers may come long before the first token: a proxy sends them as soon as it is asked.
            if self._guard.began:
                self._guard.done_with("first_token")
                self._guard.expect("silence", self._silence)
            block = self._response.raw.read1(_READ)
            if not block:
                # A socket shut down by the guard reads like a clean end.
                if self._guard.fired:
                    raise OSError(self._guard.fired)
                return
            self._guard.began = True
            yield block


class _Guard:
    """Cuts the connection when a deadline passes or the stop comes; `fired` then names which."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._deadlines: dict[str, float] = {}
        self._wake = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)
        self.fired = ""
        self.began = False

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        with self._wake:
            self._over = True
            self._wake.notify()
        self._thread.join()

    def expect(self, deadline: str, seconds: float) -> None:
        with self._wake:
            new = deadline not in self._deadlines
            self._deadlines[deadline] = time.monotonic() + seconds
            # A deadline that only moves back needs no wake-up: the thread looks again when the old one is due.
            if new:
                self._wake.notify()

    def done_with(self, deadline: str) -> None:
        with self._wake:
            self._deadlines.pop(deadline, None)

    def stop(self) -> None:
        with self._wake:
            self.fired = self.fired or "stop"
            self._wake.notify()

    def _watch(self) -> None:
        with self._wake:
            while not self._over:
                if self.fired:
                    # Again and again: a connection that was being made has no socket yet.
                    self._cut()
                    self._wake.wait(0.05)
                    continue
                now = time.monotonic()
                due = min(self._deadlines.items(), key=lambda item: item[1], default=("", now + 3600))
                if due[1] <= now:
                    self.fired = due[0]
                else:
                    self._wake.wait(due[1] - now)


def _session(opened: Callable[[socket.socket], None]) -> requests.Session:
    session = requests.Session()
    # Proxies and netrc of the environment must never see a scan that is meant for a local host.
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.headers["User-Agent"] = "dropscribe"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(opened))
    return session


class _Adapter(HTTPAdapter):
    """Hands each new socket to `opened` before it is connected, so that a stop cuts connecting too."""

    def __init__(self, opened: Callable[[socket.socket], None]) -> None:
        self._opened = opened
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        opened = self._opened

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, opened)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connected(self, opened)

            def connect(self) -> None:
                super().connect()
                opened(self.sock)  # the encrypted one: it took the descriptor of the other

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _connected(connection: HTTPConnection, opened: Callable[[socket.socket], None]) -> socket.socket:
    """What urllib3 does here, which keeps the socket to itself until it is connected."""
    host, port = connection._dns_host.strip("[]"), connection.port  # noqa: SLF001 - urllib3's own names
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        opened(sock)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            if isinstance(connection.timeout, float | int):
                sock.settimeout(connection.timeout)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"connecting to {connection.host} took too long") from failure
    raise NewConnectionError(connection, f"{failure}") from failure


def _cause(error: Exception) -> str:
    text = str(error).lower()
    if "refused" in text:
        return "refuses connections"
    if "resolve" in text or "name or service" in text or "nodename" in text:
        return "cannot be found: its name has no address"
    if "unreachable" in text or "no route" in text:
        return "cannot be reached over the network"
    if "certificate" in text:
        return "has a certificate that cannot be trusted"
    return "closed the connection without an answer"
