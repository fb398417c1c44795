"""What people read in the reason file of a scan that was never opened: what was found, and what to do."""

import os
import socket
from pathlib import Path

import pytest

from dropscribe.errors import BadScan
from dropscribe.filing.reason import Reason, render_reason
from dropscribe.intake.take import take
from dropscribe.stop import Stop
from dropscribe.values import Fingerprint
from tests.intake.pictures import scan

AGAIN = "What helps: scan or send it again, and wait until all of it has arrived."
ITSELF = "What helps: put the scan itself into the inbox."


def written(data):
    return lambda path: path.write_bytes(data)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(path))


def large(path):
    path.write_bytes(scan("PNG"))
    os.truncate(path, 2_000_000_000)


REFUSED = {
    "nothing": (written(b""), ["The file is empty.", AGAIN]),
    "too much": (
        large,
        [
            "The file has 2 GB, more than the limit of 500 MB.",
            "What helps: scan it at a lower resolution or in several parts, or raise",
            "limits.bytes in the config.",
        ],
    ),
    "a link": (lambda path: path.symlink_to("/etc/hosts"), ["It is a link; links are not read.", ITSELF]),
    "a pipe": (os.mkfifo, ["It is a pipe, not a file.", ITSELF]),
    "a folder": (Path.mkdir, ["It is a folder, not a file.", ITSELF]),
    "a socket": (a_socket, ["It is a socket or a device, not a file.", ITSELF]),
}


@pytest.mark.parametrize(("make", "why"), REFUSED.values(), ids=REFUSED)
def test_what_was_found_and_what_to_do(tmp_path, make, why):
    make(tmp_path / "a.jpg")
    expected = Fingerprint.of((tmp_path / "a.jpg").lstat())
    with pytest.raises(BadScan) as bad:
        take(tmp_path, "a.jpg", expected, tmp_path, limit=5 * 10**8, lease=False, young=False, stop=Stop())
    facts = Reason("a.jpg", str(tmp_path), "", bad.value.reason, bad.value.fix)
    said = render_reason(facts).decode().partition("Why\n---\n")[2].partition("\n\n")[0]
    assert said.split("\n") == why
