"""Each way in which events are lost, with the real daemon: every scan is read, and somebody is told.

Where nothing else is said the next look by the clock would come after an hour, so whatever is read was found
because the daemon knew that it could not believe in events. Together with intake/test_bell.py (B), on the real
bell, and arrivals/test_world.py (W):

| how events are lost | shown by |
|---|---|
| the kernel's queue overflows | test_an_overflow_of_…, test_flood.py; B test_an_overflow_of_… |
| the inbox is deleted and made again | W 25a; B test_an_inbox_that_vanished_…, test_an_inbox_that_was_replaced_… |
| it, or a parent, is renamed away and replaced | test_a_parent_that_…; B test_an_inbox_that_was_replaced_… |
| a file system is mounted over it, or unmounted | test_what_is_mounted_over_…; W 25b |
| it cannot be read | test_an_unreadable_inbox_…; B test_an_unreadable_folder_… |
| the limit of watches or of instances is reached | test_a_limit_that_…; B test_a_limit_that_…, test_too_many_… |
| watchdog's observer, emitter or reading thread has died | B test_a_part_of_watchdog_that_died_… |
| an exception in the handler, which would end a thread | cannot be: B test_no_event_can_end_… |
| a warning that is an error, which would end the reading thread | test_warnings_that_are_errors_…; all of B |
| new folders in a recursive inbox | each gets a watch of its own: test_warnings_…; B test_a_new_subfolder_… |
| all seems well, but no event comes | test_a_mount_that_…; unit/test_watching.py, intake/test_canary.py |
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.arrivals.test_world import bent, mounts, says  # noqa: F401 - a fixture
from tests.e2e.harness import asked, assert_filed, drop, until
from tests.e2e.limited import NOT_HERE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/sys/fs/inotify").exists(), reason="only Linux has inotify"),
]
NEVER = {"settle": "200ms", "rescan": "1h"}
QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")


@pytest.fixture
def home(household, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    return household(defaults=NEVER)


def started(home):
    """The daemon has looked once, listens, and knows that it hears."""
    until(lambda: "started" in home.said(), "the daemon has started")
    drop(home.inbox(), 1)
    until(lambda: is_filed(home, 1), "the first scan")


def is_filed(home, number):
    return bool(list((home.inbox() / "done").rglob(f"scan{number:04}.png")))


def arrives(home, number, **how):
    drop(home.inbox(), number, **how)
    until(lambda: is_filed(home, number), f"scan {number} is filed")


def watch(home):
    return home.status()["inboxes"][0]["watch"]


def ended_well(home, server, numbers):
    assert home.terminate() == 0
    assert sorted(asked(server)) == sorted(numbers)
    assert_filed(home.inbox(), numbers, "Prompt of inbox")
    return home.said()


def test_a_mount_that_tells_nothing_is_looked_at_often_until_it_tells(home, server):
    with bent(home) as world:
        says(world, "pace", 10)
        (world / "deaf").touch()
        with home:
            until(lambda: "looking instead of listening" in home.said(), "it is noticed")
            assert "looked at every 10 s: the system does not tell of files that are made on" in watch(home)
            code, shown, _ = home.run("status")
            assert (code, "inbox is looked at every 10 s" in shown) == (0, True)
            for number in (1, 2):
                arrives(home, number)
            (world / "deaf").unlink()
            until(lambda: "listening again" in home.said(), "it tells again")
            assert watch(home) == ""
            arrives(home, 3)
            said = ended_well(home, server, range(1, 4))
    assert said.count("looking instead of listening") == said.count("listening again") == 1


def test_a_mount_that_ceases_to_tell_is_suspected_by_what_the_clock_finds(household, server, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    home = household(defaults={"settle": "200ms", "rescan": "30s"})
    with bent(home) as world:
        says(world, "pace", 10)
        with home:
            started(home)
            (world / "deaf").touch()
            arrives(home, 2)
            until(lambda: "looking instead of listening" in home.said(), "it is noticed")
            ended_well(home, server, (1, 2))


def test_an_overflow_of_the_kernels_queue_is_told_and_everything_looked_at(home, server):
    """The scan comes when the queue has been full for long."""
    room = int(QUEUE.read_text())
    if room > 200_000:
        pytest.skip(f"this machine keeps {room} events")
    with home:
        started(home)
        restless = [home.inbox() / ".a", home.inbox() / ".b"]
        for path in restless:
            path.touch()
        home.process.send_signal(signal.SIGSTOP)
        for _ in range(room // 2 + 1000):
            for path in restless:  # two in turn: the kernel drops an event that is as the one before
                path.chmod(0o644)
        drop(home.inbox(), 2)
        for path in restless:
            path.unlink()
        home.process.send_signal(signal.SIGCONT)
        until(lambda: is_filed(home, 2), "the scan that no event tells of")
        until(lambda: "events were lost" in home.said(), "the loss is told")
        said = ended_well(home, server, (1, 2))
    assert said.count("events were lost") == 1
    assert "Inotify queue overflowed" not in said  # said once, in our words


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (
            "max_inotify_watches=3",
            "the limit of watched folders is reached; raise fs.inotify.max_user_watches",
        ),
        ("max_inotify_instances=0", "raise fs.inotify.max_user_instances"),
    ],
)
def test_a_limit_that_is_reached_is_told_and_everything_looked_at_often(
    household, server, limit, words, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    home = household(defaults={**NEVER, "recursive": True})
    home.program = ("-m", "tests.e2e.limited", limit)
    folders = [home.inbox() / str(number) for number in range(1, 6)]
    for folder in folders:
        folder.mkdir()
    with home:
        until(
            lambda: "looking instead of listening" in home.said() or home.process.poll() is not None,
            "it is told",
        )
        if home.process.poll() == NOT_HERE:
            pytest.skip(home.said())
        for number, folder in enumerate(folders, 1):
            drop(folder, number)
        until(lambda: all(is_filed(home, number) for number in range(1, 6)), "all are filed")
        assert words in watch(home)
        assert watch(home).startswith("looked at every 10 s: ")
        assert home.terminate() == 0
    assert sorted(asked(server)) == [1, 2, 3, 4, 5]
    assert home.said().count("looking instead of listening") == 1
    assert words in home.said()


def test_an_unreadable_inbox_is_parked_and_read_when_its_rights_come_back(home, server):
    home.program = ("-m", "tests.e2e.limited", "rights")
    with home:
        until(lambda: "started" in home.said() or home.process.poll() is not None, "it has started")
        if home.process.poll() == NOT_HERE:
            pytest.skip(home.said())
        arrives(home, 1)
        home.inbox().chmod(0o300)
        until(lambda: "parked" in home.said(), "it is parked")
        drop(home.inbox(), 2)
        home.inbox().chmod(0o755)
        until(lambda: is_filed(home, 2), "the second scan")
        arrives(home, 3)
        said = ended_well(home, server, (1, 2, 3))
    assert "permission" in said
    assert "inbox  resumed" in said


def test_a_parent_that_was_renamed_away_and_replaced_is_noticed_by_the_clock(household, server):
    """Its events come from the old folder until then."""
    home = household(defaults={"settle": "200ms", "rescan": "2s"})
    with home:
        started(home)
        shutil.copytree(home.root / "scans", home.root / "new")
        (home.root / "scans").rename(home.root / "old")
        (home.root / "new").rename(home.root / "scans")
        for number in (2, 3):
            arrives(home, number)
        ended_well(home, server, (1, 2, 3))


def test_what_is_mounted_over_an_inbox_is_an_inbox_of_its_own(household, server, mounts, tmp_path):  # noqa: F811
    home = household(defaults={"settle": "200ms", "rescan": "2s"})
    disk = tmp_path / "disk"
    for folder in ("done", "failed"):
        (disk / folder).mkdir(parents=True)
    with home:
        started(home)
        mounts("--bind", str(disk), str(home.inbox()))
        for number in (2, 3):
            arrives(home, number)
        subprocess.run(["umount", "-l", home.inbox()], check=True)
        arrives(home, 4)
        assert home.terminate() == 0
    assert sorted(asked(server)) == [1, 2, 3, 4]
    assert len(os.listdir(disk / "done")) == len(os.listdir(home.inbox() / "done")) == 4  # noqa: PTH208


def test_warnings_that_are_errors_end_no_thread(household, server, monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    home = household(defaults={**NEVER, "recursive": True})
    with home:
        started(home)
        for number in range(2, 30):
            folder = home.inbox() / f"a{number % 5}" / f"b{number % 3}"
            folder.mkdir(parents=True, exist_ok=True)
            drop(folder, number)
        until(lambda: all(is_filed(home, number) for number in range(2, 30)), "all are filed")
        arrives(home, 30)
        assert home.terminate() == 0
    assert sorted(asked(server)) == list(range(1, 31))
    assert "Traceback" not in home.said()
