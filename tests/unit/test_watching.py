"""The watches of inboxes on real folders: what canaries prove, and what follows when they are not heard."""

import io
import json
import os

import pytest

from dropscribe import log
from dropscribe.errors import WorldWrong
from dropscribe.inbox_state import InboxState
from dropscribe.intake import canary
from dropscribe.intake.bell import Bell
from dropscribe.intake.look import LookRules
from dropscribe.intake.names import why_ignored
from dropscribe.watching import Watching
from tests.folders import an_inbox
from tests.intake.test_bell import LONG
from tests.unit.ears import Ears


@pytest.fixture(params=["bell", "ears"])
def watch(request):
    if request.param == "ears":
        yield Ears()
        return
    bell = Bell()
    yield bell
    bell.close()


# --- the contract of those who listen


def made(folder, name):
    (folder / name).touch()
    (folder / name).unlink()


def test_a_canary_is_heard_where_it_was_expected_and_forgotten_when_told(watch, tmp_path):
    assert watch.watch("in", [tmp_path]) is None
    name = f"{canary.PREFIX}1.part"
    assert not watch.has_heard(name)
    watch.expect(name)
    made(tmp_path, name)
    for _ in range(100):  # each wait ends with whatever else there is to hear
        if watch.has_heard(name) or not hasattr(watch, "wait"):
            break
        watch.wait(LONG / 100)
    assert watch.has_heard(name)
    watch.forget(name)
    assert not watch.has_heard(name)
    watch.forget(name)


def test_listened_is_one_folder_for_each_device_that_is_listened_to(watch, tmp_path):
    sub = tmp_path / "sub"
    sub.mkdir()
    assert watch.listened("in") == {}
    watch.watch("in", [sub, tmp_path])
    (folder,) = watch.listened("in").values()
    assert (folder.path, folder.ino) == (tmp_path, tmp_path.stat().st_ino)
    assert set(watch.listened("in")) == {tmp_path.stat().st_dev}
    watch.watch("in", [])
    assert watch.listened("in") == {}


def test_nothing_was_lost_where_nothing_happened(watch, tmp_path):
    watch.watch("in", [tmp_path])
    assert watch.overflows() == 0


# --- what is made of it


class House:
    """Inboxes that are looked at when the test says so."""

    def __init__(self, root, names, said, **rules):
        self.ears = Ears()
        self.now = 1000.0
        self.said = said
        self.states = {name: self._state(root / name, name, rules) for name in names}
        self.watching = Watching(self.ears)
        self.look()

    def _state(self, root, name, rules):
        root.mkdir()
        inbox = an_inbox(root, name=name, **rules)
        return InboxState(inbox, LookRules(), network=False, rescan=60.0)

    def look(self, *, rung=True, news=False):
        for state in self.states.values():
            if state.parked is None:
                state.look(self.now)
                self.watching.keep(state, self.now, rung=rung, news=news)
        self.watching.step(self.states, self.now)

    def step(self, seconds):
        self.now += seconds
        self.watching.step(self.states, self.now)

    def go_deaf(self):
        self.ears.deaf = True
        self.ears.expected = dict.fromkeys(self.ears.expected, False)
        for _ in range(canary.MISSES):
            self.step(canary.PATIENCE)

    def lines(self, event):
        return [line for line in self.said() if line["event"] == event]

    @property
    def watches(self):
        return {state.watch for state in self.states.values()}


@pytest.fixture
def said():
    """The steps in the log."""
    out = io.StringIO()
    log.configure("json", stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    log.configure()


@pytest.fixture
def house(tmp_path, said):
    return lambda *names, **rules: House(tmp_path, names or ("in",), said, **rules)


def test_a_canary_that_is_heard_changes_nothing_and_leaves_nothing(house):
    here = house("one", "two")
    assert len(here.ears.expected) == 2
    here.step(0.1)
    assert here.ears.expected == {}
    assert here.watches == {""}
    assert here.said() == []
    assert here.watching.wake_at() is None
    for state in here.states.values():
        assert not [name for name in os.listdir(state.rules.path) if name.startswith(".")]  # noqa: PTH208


def test_where_canaries_are_not_heard_all_inboxes_of_the_mount_are_looked_at_often_and_one_line_says_so(
    house,
):
    here = house("one", "two")
    here.step(0.1)
    here.look(news=True)
    here.ears.deaf = True
    here.step(canary.EVERY)
    here.go_deaf()
    (line,) = here.said()
    assert line["event"] == "looking instead of listening"
    assert line["inboxes"] == "one, two"
    assert "does not tell of files" in line["reason"]
    (watch,) = here.watches
    assert watch == f"looked at every 10 s: {line['reason']}"
    for state in here.states.values():
        assert state.next_look <= here.now
    here.look()
    for state in here.states.values():
        assert state.next_look == here.now + canary.OFTEN
    for _ in range(3):
        here.step(1000.0)
    assert len(here.said()) == 1


def test_when_they_are_heard_again_one_line_says_so_and_all_is_as_before(house):
    here = house("one", "two")
    here.go_deaf()
    here.ears.deaf = False
    here.step(canary.AGAIN)
    here.step(0.1)
    (line,) = here.lines("listening again")
    assert line["inboxes"] == "one, two"
    assert here.watches == {""}
    here.look()
    for state in here.states.values():
        assert state.next_look == here.now + 60.0


def test_a_single_canary_that_is_lost_is_no_reason_to_say_anything(house):
    here = house()
    here.ears.expected = dict.fromkeys(here.ears.expected, False)
    here.step(canary.PATIENCE)
    here.step(0.1)
    assert here.said() == []
    assert here.watches == {""}


def test_what_came_while_nobody_heard_is_looked_for_at_once(house):
    here = house()
    here.go_deaf()
    (state,) = here.states.values()
    assert state.next_look == here.now
    here.look()
    here.ears.deaf = False
    here.step(canary.AGAIN)
    here.step(0.1)
    assert state.next_look == here.now


def test_a_file_system_that_is_listened_to_no_more_is_forgotten_with_its_canaries(house):
    here = house()
    (state,) = here.states.values()
    here.ears.expected = dict.fromkeys(here.ears.expected, False)
    here.ears.problems[state.rules.path] = "it does not exist"
    here.look()
    assert here.ears.expected == {}
    assert here.watching.wake_at() is None


def test_an_inbox_that_is_looked_at_more_often_anyway_stays_so(house):
    here = house()
    (state,) = here.states.values()
    state.rescan = 2.0
    here.go_deaf()
    here.look()
    assert state.next_look == here.now + 2.0
    assert state.watch.startswith("looked at every 2 s: ")


def test_no_canary_is_dropped_where_no_events_are_expected(house):
    here = house(watch="poll")
    assert here.ears.expected == {}
    assert here.watching.wake_at() is None
    assert here.watches == {"looked at regularly: no events are expected there"}


def test_no_canary_is_dropped_into_a_parked_inbox(house):
    here = house("one", "two")
    here.step(0.1)
    here.states["one"].park(WorldWrong("read-only"), here.now)
    here.look(news=True)
    here.step(canary.EVERY)
    assert len(here.ears.expected) == 1
    here.states["two"].park(WorldWrong("read-only"), here.now)
    here.step(0.1)
    here.states["one"].parked = None
    here.look(news=True)
    assert here.said() == []


def test_an_inbox_that_vanished_proves_nothing(house):
    here = house()
    here.step(0.1)
    here.look(news=True)
    (state,) = here.states.values()
    state.rules.path.rename(state.rules.path.with_name("away"))
    for _ in range(5):
        here.step(canary.EVERY)
    assert here.said() == []
    assert here.ears.expected == {}
    assert not state.rules.path.exists()


def test_another_folder_in_its_place_is_proved_at_once(house):
    here = house()
    here.step(0.1)
    (state,) = here.states.values()
    state.rules.path.rename(state.rules.path.with_name("away"))
    state.rules.path.mkdir()
    here.look()
    assert len(here.ears.expected) == 1


def test_what_the_clock_finds_and_no_bell_rang_for_is_suspicious(house):
    here = house()
    here.step(0.1)
    here.look(rung=False, news=True)
    here.step(canary.SUSPECT - 1)
    assert here.ears.expected == {}
    here.step(1.0)
    assert len(here.ears.expected) == 1


def test_a_folder_that_cannot_be_listened_to_is_told_once_looked_at_often_and_told_when_it_is_over(house):
    here = house()
    (state,) = here.states.values()
    here.ears.problems[state.rules.path] = "the limit is reached"
    here.look()
    here.look()
    (line,) = here.said()
    assert (line["inbox"], line["reason"]) == ("in", "the limit is reached")
    assert state.watch == "looked at every 10 s: the limit is reached"
    assert state.next_look == here.now + canary.OFTEN
    here.ears.problems.clear()
    here.look()
    assert here.lines("listening again")
    here.look()
    assert (state.watch, state.next_look) == ("", here.now + 60.0)


def test_lost_events_are_told_in_one_line(house):
    here = house()
    here.ears.lost = 3
    here.step(0.1)
    here.step(0.1)
    (line,) = here.said()
    assert (line["event"], line["times"]) == ("events were lost", 3)


def test_a_canary_is_no_scan_whatever_becomes_of_it():
    assert why_ignored(f"{canary.PREFIX}0123456789ab.part") == "a temporary file of dropscribe"
