"""What the daemon tells about itself, and the socket in the state folder that tells it.

The socket serves the newest snapshot and reads nothing: whoever may open the state folder may ask.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import pwd
import socket
import tempfile
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropscribe.errors import Unavailable, WorldWrong, world_wrong
from dropscribe.locks import is_locked

if TYPE_CHECKING:
    from collections.abc import Callable

LOCK = "lock"
"""The file in the state folder that a daemon holds locked."""

_LONGEST_ADDRESS = 100  # bytes; sun_path holds 108 on Linux and 104 on macOS, with its closing zero
_PATIENCE = 2.0  # seconds for a daemon to answer
_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ScanStatus:
    """One scan that is not in `done/`, with the words that log and reason file use too."""

    name: str
    state: str  # arriving, waiting, reading, unsupported, refused
    reason: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class LearnedStatus:
    """Scans of this format lie unchanged for `waits` seconds, as one was seen to go on after `gap`; Unix time."""

    format: str
    waits: float
    gap: float
    at: float


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """One inbox: counts of its scans, the first of them by name, and why it is parked, if it is.

    `folders`: the first subfolders that are not looked into, as the inbox is not recursive. `pages`: how many were
    verified, are to be checked, could not be verified since the daemon started; `doubted`: the newest scans that were
    filed as done since then with a page to be checked; `unverified`: why none can be verified now.
    """

    name: str
    path: str
    engine: str
    counts: dict[str, int]
    done_today: int
    failed_today: int
    done: int  # since the daemon started, like `failed`
    failed: int
    parked: str = ""
    fix: str = ""
    parked_since: float | None = None
    watch: str = ""
    scans: tuple[ScanStatus, ...] = ()
    folders: tuple[str, ...] = ()
    learned: tuple[LearnedStatus, ...] = ()
    pages: dict[str, int] = field(default_factory=dict)
    doubted: tuple[str, ...] = ()
    unverified: str = ""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host: `state` is well or resting, after `failures` in a row; Unix times."""

    name: str
    engine: str
    state: str
    busy: int
    parallel: int
    failures: int = 0
    reason: str = ""
    fix: str = ""
    since: float | None = None
    next_try: float | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Everything, at Unix time `at`; `pid` is 0 when no daemon runs."""

    at: float
    pid: int
    started: float | None
    version: str
    inboxes: tuple[InboxStatus, ...] = ()
    hosts: tuple[HostStatus, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The documented form of `status --json`."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Status:
        inboxes = tuple(
            InboxStatus(
                **{
                    **i,
                    "scans": tuple(ScanStatus(**s) for s in i["scans"]),
                    "folders": tuple(i["folders"]),
                    "doubted": tuple(i["doubted"]),
                    "learned": tuple(LearnedStatus(**gap) for gap in i["learned"]),
                }
            )
            for i in found["inboxes"]
        )
        hosts = tuple(HostStatus(**h) for h in found["hosts"])
        return cls(found["at"], found["pid"], found["started"], found["version"], inboxes, hosts)


class StatusSocket:
    """Serves `snapshot()` to everyone who connects, until closed."""

    def __init__(self, state: Path, snapshot: Callable[[], Status]) -> None:
        """Raises WorldWrong where no socket can be made."""
        self._snapshot = snapshot
        self._over = False
        self._address = address(state)
        self._server = _listen(self._address)
        self._thread = threading.Thread(target=self._serve, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over = True
        # Closing a socket does not end an accept() that waits on it; a caller does.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(_PATIENCE)
            caller.connect(self._address)
        self._thread.join(_PATIENCE)
        self._server.close()
        with contextlib.suppress(OSError):
            Path(self._address).unlink()

    def _serve(self) -> None:
        while not self._over:
            line, _ = self._server.accept()
            with contextlib.suppress(OSError), line:
                line.settimeout(_PATIENCE)
                line.sendall(json.dumps(self._snapshot().as_json()).encode())


def _listen(where: str) -> socket.socket:
    # A socket left by a killed daemon; the lock of the state folder says that no other one lives.
    with contextlib.suppress(OSError):
        Path(where).unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(where)
        Path(where).chmod(0o600)
        server.listen(8)
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            found = "a folder" if Path(where).is_dir() else "something that cannot be removed"
            words = f"{where}: expected a free name for the socket that answers `status`, found {found}"
            raise WorldWrong(words, "move it away") from error
        raise world_wrong(error, where) from error
    return server


def ask_daemon(state: Path) -> Status | None:
    """The status of the daemon on this state folder, or None when none runs.

    Raises Failure when one runs, or may run, that cannot be asked.
    """
    where = address(state)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_PATIENCE)
        try:
            (state / LOCK).exists()  # raises for who may not look; the socket may be elsewhere
            line.connect(where)
            return Status.from_json(json.loads(_all_of(line)))
        except PermissionError:
            raise _not_for_this_user(state) from None
        except TimeoutError:
            words = f"the daemon on {state} runs, but did not answer within {_PATIENCE:.0f} s"
            raise Unavailable(words, "it is very busy, or was halted: ask again") from None
        except (OSError, ValueError, KeyError, TypeError):
            if is_locked(state / LOCK):
                words = (
                    f"a daemon runs on {state}, but gave no status: it starts, ends, or is of another version"
                )
                raise Unavailable(words, "ask again; if that does not help, restart it") from None
            return None


def _not_for_this_user(state: Path) -> WorldWrong:
    words = f"a daemon may run on {state}, but this user ({_user(os.getuid())}) may not look into that folder"
    with contextlib.suppress(OSError):
        owner = _user(state.stat().st_uid)
        return WorldWrong(words, f"ask as its owner: sudo -u {owner} dropscribe status")
    return WorldWrong(words, "ask as the user that runs the daemon")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"  # as sudo takes numbers


def address(state: Path) -> str:
    """Where the socket is: in the state folder, or in the private temporary folder if that path is too long."""
    inside = os.fspath(state / "status.sock")
    if len(os.fsencode(inside)) <= _LONGEST_ADDRESS:
        return inside
    digest = hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"dropscribe-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise WorldWrong(f"{folder} belongs to somebody else", "name a state folder with a shorter path")
    return os.fspath(folder / f"{digest}.sock")


def _all_of(line: socket.socket) -> bytes:
    received = b""
    while block := line.recv(65536):
        received += block
        if len(received) > _LIMIT:
            break
    return received
