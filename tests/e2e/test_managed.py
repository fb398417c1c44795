"""The daemon under a service manager: ready, alive, hung, told to stop."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.harness import asked, drop, until
from tests.e2e.test_kills import children
from tests.service.manager import StandinManager

pytestmark = pytest.mark.skipif(
    os.uname().sysname != "Linux", reason="names of sockets as systemd gives them"
)


@pytest.fixture
def managed(monkeypatch):
    """A manager whose variables the next daemon gets."""
    made = []

    def make(watchdog=None, ward=None):
        made.append(StandinManager(watchdog, ward))
        for name, value in made[-1].environment.items():
            monkeypatch.setenv(name, value)
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_an_idle_daemon_that_could_sleep_for_an_hour_lives_on(household, managed):
    home = household("inbox", defaults={"rescan": "1h", "settle": "200ms"})
    manager = managed(1.5, lambda: home.process.pid)
    with home:
        until(lambda: manager.signs_of_life() >= 10, "ten signs of life")
        assert not manager.killed
        assert manager.words.count("READY=1") == 1
        assert manager.line() == "1 inbox"


def test_a_loop_that_hangs_gives_no_sign_of_life_and_is_ended(household, managed):
    home = household()
    home.program = (str(Path(__file__).parents[1] / "service" / "hanging.py"),)
    manager = managed(1.0, lambda: home.process.pid)
    with home:
        until(lambda: manager.signs_of_life() >= 3, "signs of life")
        (home.root / "hang").touch()
        assert home.process.wait(60) == -signal.SIGABRT
        assert manager.killed
    # The log says where it hung, for each thread.
    assert "Fatal Python error: Aborted" in home.said()
    assert "in _loop" in home.said()


def test_a_stop_in_the_middle_of_an_answer_is_announced_and_given_time(household, server, managed):
    home, manager = household(), managed(60.0)
    server.token_seconds = 0.5
    with home:
        until(lambda: "READY=1" in manager.words, "the first look")
        drop(home.inbox(), 1)
        until(lambda: manager.line() == "1 inbox, 1 reading", "the scan being read")
        until(lambda: asked(server) == [1], "the question")
        assert home.terminate() == 0
    assert manager.said[-1][0] == "STOPPING=1"
    assert manager.said[-1][2].startswith("EXTEND_TIMEOUT_USEC=")
    assert (home.inbox() / "scan0001.png").exists()


def test_ready_means_that_the_inboxes_were_looked_at(household, managed):
    home, manager = household("a", "b"), managed()
    drop(home.inbox("a"), 1)
    with home:
        until(lambda: "READY=1" in manager.words, "the word that it is ready")
    (first,) = [message for message in manager.said if "READY=1" in message]
    assert first[1] == "STATUS=2 inboxes, 1 arriving"


def test_no_process_that_the_daemon_starts_may_speak_for_it(household, managed):
    home, manager = household(), managed(60.0)
    with home:
        drop(home.inbox(), 1)
        until((home.inbox() / "done" / "scan0001.md").exists, "the text")
        own = children(home.process.pid)
        assert own
        for pid in own:
            environment = Path(f"/proc/{pid}/environ").read_text()
            assert "NOTIFY_SOCKET" not in environment
            assert "WATCHDOG" not in environment
        assert manager.words.count("READY=1") == 1
