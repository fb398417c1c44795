"""Arrivals while the world changes: folders and mounts, clocks, sick files, kills, and a second daemon."""

import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from dropscribe.config.values import Inbox
from dropscribe.intake import look, settle, take
from tests.arrivals.replay import Outcome, Theatre, finish
from tests.arrivals.script import complete, filed, picture, put
from tests.arrivals.sequences import Sequence, all_sequences
from tests.e2e.harness import Household, asked, assert_filed, drop, tree, until
from tests.standin import Standin


def _may_mount(folder):
    tool = shutil.which("mount")
    if os.geteuid() or not tool:
        return False
    mounted = subprocess.run([tool, "-t", "tmpfs", "none", folder], capture_output=True, check=False)
    return not mounted.returncode and not subprocess.run(["umount", folder], check=False).returncode


@pytest.fixture
def mounts(tmp_path):
    """Mounts that are gone after the test."""
    there = tmp_path / "may"
    there.mkdir()
    if not _may_mount(there):
        pytest.skip("this user may not mount anything")
    mounted = []

    def mount(*arguments):
        subprocess.run(["mount", *arguments], check=True)
        mounted.append(arguments[-1])

    yield mount
    for path in reversed(mounted):
        while subprocess.run(["umount", "-l", path], capture_output=True, check=False).returncode == 0:
            pass


def played(theatre, table):
    """The outcomes, each in the table, and nothing wrong with any of them."""
    theatre.write()
    outcomes = finish(theatre)
    for inbox, each in theatre.sequences.items():
        table.append((each.number, each.title, "events", outcomes[inbox]))
    assert {inbox: outcome.problem for inbox, outcome in outcomes.items() if outcome.problem} == {}


def started(theatre):
    theatre.home.start()
    until(lambda: "started" in theatre.home.said(), "the daemon has started")
    (theatre.gates / "started").touch()
    return theatre


def recreated():
    one, two = picture(2501), picture(2502)
    return Sequence(
        "25a", "the inbox is removed and made again",
        [
            *put("a.png", one), *filed("a.png"), ["rmtree", "{inbox}"], ["wait", 1], ["mkdir", "{inbox}/done"],
            ["mkdir", "{inbox}/failed"], *put("{inbox}/a.png", two), *complete(),
        ],
        done={"a.png": two}, unread=(2501,), early=True,
    )  # fmt: skip


@pytest.mark.slow
def test_a_folder_that_was_removed_and_made_again_is_an_inbox_as_before(tmp_path, table):
    with Theatre(tmp_path, "events", [recreated()]) as theatre:
        played(started(theatre), table)


def on_mounts():
    one, two = picture(2511), picture(2512)
    yield Sequence(
        "25b", "unmounted, and mounted again",
        [
            *put("a.png", one), *filed("a.png"), ["run_program", "umount", "-l", "{inbox}"],
            *put("{root}/staging/25b/b.png", two), ["wait", 5],
            ["run_program", "mount", "--bind", "{root}/staging/25b", "{inbox}"], *complete(),
        ],
        done={"a.png": one, "b.png": two}, early=True, rules={"rescan": "1s"},
    )  # fmt: skip
    one, two = picture(2521), picture(2522)
    yield Sequence(
        "25c", "read-only for a while",
        [
            *put("a.png", one), *filed("a.png"), ["run_program", "mount", "-o", "remount,bind,ro", "{inbox}"],
            *put("{root}/staging/25c/b.png", two), ["wait", 4],
            ["run_program", "mount", "-o", "remount,bind,rw", "{inbox}"], *complete(),
        ],
        done={"a.png": one, "b.png": two}, early=True,
    )  # fmt: skip
    one = picture(2531)
    yield Sequence(
        "25d", "the disk is full for a while",
        [
            ["open", ".ballast"], ["fallocate", ".ballast", 2_500_000], ["close", ".ballast"], *put("a.png", one),
            ["wait", 4], ["unlink", ".ballast"], *complete(),
        ],
        done={"a.png": one}, rules={"free_space": "1MB"},
    )  # fmt: skip


@pytest.mark.slow
def test_mounts_that_go_come_back_refuse_and_fill_up(tmp_path, mounts, table):
    sequences = list(on_mounts())
    (tmp_path / "home").mkdir()
    with Theatre(tmp_path / "home", "events", sequences) as theatre:
        home = theatre.home
        for number in ("25b", "25c"):
            (theatre.root / "staging" / number).mkdir()
            mounts("--bind", theatre.root / "staging" / number, home.inbox(f"s{number}"))
        mounts("-t", "tmpfs", "-o", "size=3m", "none", home.inbox("s25d"))
        played(started(theatre), table)
        said = home.said()
        subprocess.run(["umount", "-l", home.inbox("s25b")], check=True)
        assert list(home.inbox("s25b").iterdir()) == []  # nothing was made where the mount was missing
    for inbox in ("s25b", "s25c", "s25d"):
        assert f"{inbox}  parked" in said
        assert f"{inbox}  resumed" in said


@contextmanager
def bent(theatre_or_home):
    """The folder that says what holds in the daemon's world."""
    home = getattr(theatre_or_home, "home", theatre_or_home)
    folder = home.root / "world"
    folder.mkdir()
    home.program = ("-m", "tests.arrivals.bent", str(folder))
    yield folder


def says(folder, name, what):
    hidden = folder / f".{name}"
    hidden.write_text(json.dumps(what))
    hidden.rename(folder / name)


@pytest.mark.slow
def test_a_wall_clock_that_jumps_by_an_hour_changes_nothing(tmp_path, table, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    jumping = {"02", "03c", "05", "09b", "16b", "28"}
    sequences = [each for each in all_sequences() if each.number in jumping]
    with Theatre(tmp_path, "events", sequences) as theatre, bent(theatre) as world:
        started(theatre)
        over = threading.Event()

        def jump():
            while not over.is_set():
                for seconds in (3600, -3600, 0):
                    says(world, "clock", seconds)
                    over.wait(0.4)

        jumps = threading.Thread(target=jump)
        jumps.start()
        try:
            played(theatre, rows := [])
        finally:
            over.set()
            jumps.join()
    table += [("26", f"{title[:40]}, clock ±1 h", watch, outcome) for _, title, watch, outcome in rows]


def test_whether_a_scan_has_settled_depends_on_no_wall_clock():
    """None of them can even ask for it."""
    for module in (settle, look, take):
        assert not {"time", "datetime"} & vars(module).keys()
    assert "settle" in Inbox.__dataclass_fields__


@pytest.fixture
def server():
    with Standin() as standin:
        yield standin


@pytest.fixture
def home(tmp_path, server, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    made = Household(tmp_path, server.url)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def row(table, number, title, server, problem=""):
    table.append((number, title, "events", Outcome(asked(server), None, None, {}, problem)))


@pytest.mark.slow
def test_a_file_that_cannot_be_opened_or_read_for_a_while_is_only_late(server, home, table):
    sick = {
        "EBUSY": ("open", "busy"), "EACCES": ("open", "permission"), "EIO": ("read", "cannot be read"),
        "ESTALE": ("read", "cannot be read"),
    }  # fmt: skip
    numbers = dict(enumerate(sick, 1))
    with bent(home) as world:
        says(world, "trouble", {f"{code}.png": {step: code} for code, (step, _) in sick.items()})
        with home:
            for number, code in numbers.items():
                drop(home.inbox(), number, f"{code}.png")
            (home.inbox() / "EACCES.png").chmod(0)
            reasons = {}

            def told():
                (inbox,) = home.status()["inboxes"]
                reasons.update({scan["name"]: scan["reason"] for scan in inbox["scans"]})
                return all(words in reasons.get(f"{code}.png", "") for code, (_, words) in sick.items())

            until(told, "the status says why each of them waits")
            assert asked(server) == []
            assert home.status()["inboxes"][0]["counts"]["arriving"] == len(sick)
            (home.inbox() / "EACCES.png").chmod(0o644)
            (world / "trouble").unlink()
            until(lambda: len(list((home.inbox() / "done").glob("*.md"))) == len(sick), "all filed", 90)
            until(lambda: not list(home.inbox().glob("*.png")), "all moved")
            assert home.terminate() == 0
    assert_filed(home.inbox(), numbers, "Prompt of inbox")
    assert sorted(asked(server)) == sorted(numbers)
    row(table, "27", "EIO, EBUSY, ESTALE, no permission for a while", server)


@pytest.mark.slow
def test_a_scan_that_is_deleted_right_before_its_move_leaves_no_text_behind(server, home, table):
    with bent(home) as world:
        says(world, "trouble", {"a.png": {"move": ""}})
        with home:
            drop(home.inbox(), 1, "a.png")
            until(lambda: "withdrawn" in home.said(), "its filing is given up")
            assert home.terminate() == 0
    assert tree(home.inbox()) == {}
    assert asked(server) == [1]
    row(table, "17c", "deleted right before it is moved", server)


@pytest.mark.slow
def test_a_kill_at_each_change_of_state_loses_and_doubles_nothing(server, home, table):
    server.token_seconds = 0.005
    states = ("started", "settled", "asked", "accepted", "filed")
    for number, state in enumerate(states, 1):
        before = len(home.said()) if home.log.exists() else 0
        drop(home.inbox(), number)
        home.start()
        until(lambda state=state, before=before: f"  {state}" in home.said()[before:] or
              f" {state}  " in home.said()[before:], f"{state} in the log")  # fmt: skip
        home.kill()
    with home:
        until(lambda: len(list((home.inbox() / "done").glob("*.png"))) == len(states), "all filed")
        assert home.terminate() == 0
    numbers = range(1, len(states) + 1)
    assert_filed(home.inbox(), numbers, "Prompt of inbox")
    again = Counter(asked(server)) - Counter(numbers)
    assert sum(again.values()) <= len(states)
    row(table, "24b", "killed at each change of state", server)


@pytest.fixture
def neighbour(tmp_path, server, home):
    """A second household with a state folder of its own and the same inbox."""
    root = tmp_path / "neighbour"
    root.mkdir()
    inbox = {"path": str(home.inbox()), "name": "inbox", "prompt": "Prompt of inbox\nRead all text."}
    made = Household(root, server.url, settings={"inboxes": [inbox]})
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.mark.slow
def test_a_second_daemon_on_the_same_inbox_does_not_start(server, home, neighbour, table):
    with home:
        until(lambda: "started" in home.said(), "started")
        neighbour.start()
        assert neighbour.process.wait(60) == 1
        assert f"(process {home.process.pid})" in neighbour.said()
        for number in range(20):
            drop(home.inbox(), number)
        until(lambda: len(list((home.inbox() / "done").glob("*.png"))) == 20, "all filed")
        assert home.terminate() == 0
    assert_filed(home.inbox(), range(20), "Prompt of inbox")
    assert sorted(asked(server)) == list(range(20))
    row(table, "30a", "a second daemon is refused", server)


@pytest.mark.slow
def test_two_daemons_where_locks_hold_nobody_file_each_scan_once(server, home, neighbour, table):
    server.parallel = 2
    with bent(home) as first, bent(neighbour) as second:
        (first / "no-locks").touch()
        (second / "no-locks").touch()
        with home, neighbour:
            for each in (home, neighbour):
                until(lambda each=each: "started" in each.said(), "started")
            for number in range(60):
                drop(home.inbox(), number)
            until(lambda: len(list((home.inbox() / "done").glob("*.png"))) == 60, "all filed", 120)
            assert [each.terminate() for each in (home, neighbour)] == [0, 0]
    assert_filed(home.inbox(), range(60), "Prompt of inbox")
    assert max(Counter(asked(server)).values()) <= 2
    row(table, "30b", "two daemons, locks that hold nobody", server)
