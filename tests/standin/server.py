"""A faithful stand-in of an Ollama server, in process or on its own."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from http.server import ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any

from tests.standin import models as installed
from tests.standin.faults import EARLY, LATE
from tests.standin.handler import Handler
from tests.standin.received import Log, Received
from tests.standin.runners import Runners
from tests.standin.script import Fault, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from tests.standin.asked import Request

VERSION = "0.33.0"
BEFORE_LLAMA_SERVER = "0.24.0"


class Standin:
    """The server, its models, its faults and the log of what it received; a context manager.

    `version` below 0.30 behaves like 0.24.0, else like 0.33.0. `parallel` requests at once per model. Seconds
    are fixed service times: for loading, from there to the first token, and for each further token. `reader`
    says the plain text for a request in place of what stands in the picture. `registry`: the models that can
    be pulled, None for all. The attributes may be changed while it runs.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        version: str = VERSION,
        models: Mapping[str, installed.Model] | None = None,
        registry: Mapping[str, installed.Model] | None = None,
        parallel: int = 1,
        load_seconds: float = 0,
        first_token_seconds: float = 0,
        token_seconds: float = 0,
        reader: Callable[[Request], str] | None = None,
        log: IO[str] | None = None,
    ) -> None:
        self.version = version
        self.models = dict(installed.default_models() if models is None else models)
        self.registry = registry
        self.parallel = parallel
        self.load_seconds = load_seconds
        self.first_token_seconds = first_token_seconds
        self.token_seconds = token_seconds
        self.reader = reader
        self.log = Log(log)
        self.faults = Script()
        self.runners = Runners()
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def current(self) -> bool:
        """Whether it is of the generation since 0.30, whose runner is llama-server."""
        major, minor = (int(part) for part in self.version.split(".")[:2])
        return (major, minor) >= (0, 30)

    @property
    def received(self) -> tuple[Received, ...]:
        return self.log.received

    def wait_for(
        self, predicate: Callable[[tuple[Received, ...]], object], timeout: float = 10
    ) -> tuple[Received, ...]:
        return self.log.wait_for(predicate, timeout)

    def script(self, kind: str, **how: Any) -> None:
        """Asks for a fault: a kind of faults.py, and fields of Fault."""
        fault = Fault(kind, **how)
        if kind not in EARLY and kind not in LATE:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted([*EARLY, *LATE]))}")
        if kind in LATE and fault.path != "/api/chat":
            raise ValueError(f"the fault {kind!r} can only strike /api/chat")
        self.faults.add(fault)

    def up(self) -> None:
        """Listens, with no model loaded; not more than once."""
        if self._listener is None:
            self.runners = Runners()
            self._listener = Listener(self._socket, self)
            self._listener.start()

    def down(self) -> None:
        """Ends all connections and refuses new ones. The port stays reserved, so that nobody else gets it."""
        if self._listener is not None:
            self._listener.end()
            self._listener = None
            self._socket = _bound(self.port)

    def close(self) -> None:
        self.down()
        self._socket.close()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Listener(ThreadingHTTPServer):
    """One time of being up: from listening to the end of the last connection."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, bound: socket.socket, standin: Standin) -> None:
        super().__init__(bound.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.server_activate()
        self.standin = standin
        self.ended = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._bell, self._button = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="standin")

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Returns when every thread of this listener has ended."""
        self.ended.set()
        self._button.send(b"!")
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # already closed by its own thread
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._bell.close()
        self._button.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while not any(key.fileobj is self._bell for key, _ in selector.select()):
                self._handle_request_noblock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may leave in any way; anything else is our fault and is raised in its thread."""
        with contextlib.suppress(OSError):
            raise  # noqa: PLE0704 - called while the exception is handled


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
