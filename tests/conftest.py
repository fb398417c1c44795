"""Guards against accidents: a test that would reach the network, or write outside its own folder, fails.

And what tests of many folders share.
"""

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dropscribe.reading.decoding import Decoding
from dropscribe.stop import Stop

REPOSITORY = Path(__file__).parent.parent

# A slow machine is no bug; every failure prints the blob that repeats it.
settings.register_profile(
    "dropscribe", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("dropscribe")


class TestsMayOnlyTalkToThisMachine(Exception):
    pass


class TestsMayOnlyWriteBelowTheTemporaryFolder(Exception):
    pass


_WRITABLE = tuple(
    os.path.realpath(folder)
    for folder in (
        tempfile.gettempdir(), "/dev", "/proc/self",
        REPOSITORY / ".hypothesis", REPOSITORY / ".pytest_cache",
        REPOSITORY / "pytest-cache-files", REPOSITORY / "tests", REPOSITORY / "daemon",
    )
)  # fmt: skip


def _guard(event, args):
    if event == "socket.connect":
        _check_address(args[0], args[1])
    elif event == "open" and isinstance(args[0], (str, bytes)):
        _check_path(args[0], args[2])


def _check_address(sock, address):
    local = sock.family == socket.AF_UNIX or str(address[0]).startswith(("127.", "::1", "localhost"))
    if not local:
        raise TestsMayOnlyTalkToThisMachine(f"connect to {address!r}: start a server on 127.0.0.1 instead")


def _check_path(path, flags):
    if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return
    # Filing opens names in a folder that it has open already, which the event does not tell.
    if flags & os.O_NOFOLLOW and "/" not in os.fsdecode(path):
        return
    real = os.path.realpath(os.fsdecode(path))
    # Python's own byte code may go anywhere it likes.
    if not real.startswith(_WRITABLE) and "__pycache__" not in real:
        raise TestsMayOnlyWriteBelowTheTemporaryFolder(f"{real}: use tmp_path")


sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def _home_of_nobody(tmp_path_factory, monkeypatch):
    """No test sees the settings of whoever runs it, nor leaves anything in their home."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("XDG_", "DROPSCRIBE_CONFIG", "HTTP_PROXY", "HTTPS_PROXY", "OLLAMA_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def decoding():
    """One real process that decodes, for all tests of a module."""
    decoding = Decoding(1, Stop())
    yield decoding
    decoding.rest()
