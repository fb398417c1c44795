import io
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from dropscribe import daemon
from dropscribe.cli.once import report
from dropscribe.cli.status import show
from dropscribe.config.load import build
from dropscribe.errors import Unavailable, WorldWrong
from dropscribe.locks import locked
from dropscribe.status import (
    LOCK,
    HostStatus,
    InboxStatus,
    ScanStatus,
    Status,
    StatusSocket,
    address,
    ask_daemon,
)
from dropscribe.stop import Stop

STATUS = Status(
    1.5, 7, 1.0, "0.1.0",
    (InboxStatus("in", "/in", "ocr", {"waiting": 1}, 1, 2, 3, 4, scans=(ScanStatus("a\udcff", "waiting", "why"),)),),
    (HostStatus("h", "ollama", "resting", 0, 1, 2, "gone", "start it", 1.0, 2.0),),
)  # fmt: skip


def test_whoever_asks_gets_the_newest_snapshot(tmp_path):
    newest = [STATUS]
    served = StatusSocket(tmp_path, lambda: newest[0])
    assert ask_daemon(tmp_path) == STATUS
    newest[0] = Status(2.5, 7, 1.0, "0.1.0")
    assert ask_daemon(tmp_path) == newest[0]
    served.close()
    assert ask_daemon(tmp_path) is None
    assert not os.path.lexists(address(tmp_path))


def test_a_socket_left_by_a_killed_daemon_is_no_obstacle(tmp_path):
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(address(tmp_path))
    dead.close()
    assert ask_daemon(tmp_path) is None
    served = StatusSocket(tmp_path, lambda: STATUS)
    assert ask_daemon(tmp_path) == STATUS
    served.close()


def test_a_state_folder_with_a_long_path_still_answers(tmp_path):
    deep = tmp_path.joinpath(*["a rather long name of a folder"] * 6)
    deep.mkdir(parents=True)
    served = StatusSocket(deep, lambda: STATUS)
    assert ask_daemon(deep) == STATUS
    served.close()


def test_only_its_owner_may_ask(tmp_path):
    served = StatusSocket(tmp_path, lambda: STATUS)
    assert Path(address(tmp_path)).stat().st_mode & 0o077 == 0
    served.close()


def _stop_answering(folder):
    """A daemon that was halted: the kernel still takes the call, nobody answers."""
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(address(folder))
    silent.listen()
    return silent


def test_a_daemon_that_does_not_answer_is_not_told_to_be_none(tmp_path):
    with _stop_answering(tmp_path), pytest.raises(Unavailable, match="runs, but did not answer within 2 s"):
        ask_daemon(tmp_path)


def test_a_daemon_that_holds_the_lock_and_has_no_socket_yet_is_not_told_to_be_none(tmp_path):
    with locked(tmp_path / LOCK, "it", "wait"), pytest.raises(Unavailable, match="a daemon runs"):
        ask_daemon(tmp_path)
    assert ask_daemon(tmp_path) is None


def test_asking_leaves_no_lock_file_behind(tmp_path):
    assert ask_daemon(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("depth", [1, 6])
def test_who_may_not_look_into_the_state_folder_is_told_so(tmp_path, depth, as_another_user):
    state = tmp_path.joinpath(*["a rather long name of a folder"] * depth)
    state.mkdir(parents=True)
    state.chmod(0o700)
    said = as_another_user(
        "from pathlib import Path; from dropscribe.status import ask_daemon; from dropscribe.errors import Failure\n"
        f"try: ask_daemon(Path({str(state)!r}))\n"
        "except Failure as failure: print(failure.reason, failure.fix, sep=chr(10))\n"
    )
    assert f"a daemon may run on {state}, but this user" in said
    assert "sudo -u" in said


@pytest.fixture
def as_another_user(tmp_path):
    """Runs Python code as nobody, who may enter `tmp_path`; skips where we may not become that user."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def run(code):
        for folder in (tmp_path, *tmp_path.parents):
            if str(folder).startswith(tempfile.gettempdir() + "/"):
                folder.chmod(0o711)
        command = "import os; os.setgid(65534); os.setuid(65534)\n"
        # What is imported may lie where nobody else may read it.
        early = "import dropscribe.status, dropscribe.errors, pathlib, json, socket\n"
        done = subprocess.run(
            [sys.executable, "-c", early + command + code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("named", ["spool", "lock", "status.sock"])
def test_what_stands_in_the_way_in_the_state_folder_is_named(tmp_path, named):
    state = tmp_path / "state"
    state.mkdir()
    (state / named).mkdir() if named != "spool" else (state / named).touch()
    (tmp_path / "in").mkdir()
    config = build(
        {"state": str(state), "inboxes": [{"path": str(tmp_path / "in"), "engine": "ocr"}]}, tmp_path
    )
    with pytest.raises(WorldWrong) as caught:
        daemon.run(config, Stop(), until=lambda _: True)
    assert str(state / named) in caught.value.reason
    assert "expected a" in caught.value.reason
    assert ("found a folder" if named != "spool" else "found a file") in caught.value.reason
    assert "move it away" in caught.value.fix


def test_an_inbox_that_cannot_be_made_is_told_in_words(tmp_path):
    inbox = {"path": "/proc/nope/in", "create": True, "engine": "ocr"}
    config = build({"state": str(tmp_path / "state"), "inboxes": [inbox]}, tmp_path)
    with pytest.raises(WorldWrong, match="/proc/nope/in: expected to make a folder"):
        daemon.run(config, Stop(), until=lambda _: True)


def test_what_waits_for_review_and_what_was_found_of_pages_is_said_in_words(tmp_path):
    counts = dict.fromkeys(
        ("arriving", "waiting", "kept_back", "reading", "unsupported", "refused", "folders"), 0
    )
    counts |= {"incomplete": 0, "to_review": 2}
    inbox = InboxStatus(
        "letters", "/in", "ollama", counts, 1, 0, 1, 0,
        pages={"check": 2, "verified": 1200}, doubted=("done/b.png", "done/a\n.png"),
        unverified="it is not installed; install it",
    )  # fmt: skip
    out = io.StringIO()
    show(Status(1.5, 7, 1.0, "0.1.0", (inbox,)), Console(file=out, width=200))
    said = out.getvalue()
    assert "letters: 2 scans in review; who moves one to done approves of its text\n" in said
    assert "letters: pages since the start: 1,200 verified, 2 to be checked\n" in said
    assert "letters: to be checked: done/b.png, done/a\\x0a.png\n" in said
    assert "letters: texts are not verified: it is not installed; install it\n" in said
    after = io.StringIO()
    report(Status(1.5, 7, 1.0, "0.1.0", (inbox,)), Console(file=after, width=200))
    assert [line for line in after.getvalue().splitlines() if line in said] == [
        "letters: 2 scans in review; who moves one to done approves of its text",
        "letters: pages since the start: 1,200 verified, 2 to be checked",
        "letters: to be checked: done/b.png, done/a\\x0a.png",
        "letters: texts are not verified: it is not installed; install it",
    ]
    report(Status(1.5, 7, 1.0, "0.1.0", (replace(inbox, pages={}),)), Console(file=(never := io.StringIO())))
    assert "not verified" not in never.getvalue()
