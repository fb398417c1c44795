"""Passes of the reconciler on real folders, with hands that do what the test says and a clock that it sets."""

import itertools
import sqlite3
from pathlib import Path

import pytest

from dropscribe import log, schedule
from dropscribe.desk import Filed
from dropscribe.errors import Misconfigured, NotYet, Unavailable, Unsupported, WorldWrong
from dropscribe.filer import Filer
from dropscribe.inbox_state import InboxState
from dropscribe.intake.look import LookRules
from dropscribe.jobs import Result
from dropscribe.ledger import Intent, Ledger, Row, Try
from dropscribe.read_page import NO_ANSWER, SUSPECT
from dropscribe.reading.engines import ModelState
from dropscribe.reconcile import Reconciler
from dropscribe.recovery import Recovery
from dropscribe.schedule import Host
from tests.folders import an_inbox
from tests.unit.ears import Ears

URL = "http://127.0.0.1:1"


class Hands:
    """Keeps the jobs until the test says what became of them."""

    def __init__(self):
        self.jobs = []
        self._results = []

    def give(self, job):
        self.jobs.append(job)

    def results(self):
        ready, self._results = self._results, []
        return ready

    def finish(self, error=None, owes=None, **how):
        """The oldest job ends: filed, unless with an error or as a check."""
        job = self.jobs.pop(0)
        if error is None and not job.check:
            path = job.scan.inbox.path / job.scan.name
            path.rename(job.scan.inbox.done / job.scan.name)
            how["filed"] = Filed("done", job.scan.inbox.done / job.scan.name, owes=owes)
            how.setdefault("answered", True)
        self._results.append(Result(job, error=error, **how))
        return job


class World:
    def __init__(self, root, parallel=1, hosts=(URL,), **rules):
        self.inbox = an_inbox(root, **rules)
        self.ledger = Ledger(root / "ledger.db")
        self.hands = Hands()
        self.now = 1000.0
        self.lag = 0.0  # seconds that a pass has taken when a look is over
        look_rules = LookRules(skip=frozenset({self.inbox.done, self.inbox.failed}))
        self.state = InboxState(self.inbox, look_rules, network=False, rescan=60.0)
        self.reconciler = Reconciler(
            [self.state],
            [Host(host, "ollama", parallel) for host in hosts],
            self.ledger,
            self.hands,
            Ears(),
            root,
            Recovery(
                self.ledger, Filer(self.ledger), {self.inbox.name: self.inbox.path}, collecting=(self.inbox,)
            ),
            clock=lambda: self.now + self.lag,
        )

    def drop(self, *names):
        for name in names:
            (self.inbox.path / name).write_bytes(b"a scan")

    def step(self, seconds=0.05, *, rung=True):
        self.now += seconds
        return self.reconciler.step(self.now, rung=rung)

    def settled(self, *names):
        """These scans have arrived and been seen long enough."""
        self.drop(*names)
        self.step()
        self.step(0.3)

    @property
    def host(self):
        return self.reconciler.hosts[URL]

    @property
    def status(self):
        return self.reconciler.snapshot.inboxes[0]


@pytest.fixture
def world(tmp_path):
    made = []

    def make(**how):
        made.append(World(tmp_path, **how))
        return made[-1]

    yield make
    for each in made:
        each.ledger.close()


def test_a_scan_is_handed_out_when_it_has_settled_and_not_before(world):
    here = world()
    here.drop("a.png")
    sleep = here.step()
    assert here.hands.jobs == []
    assert 0 < sleep <= 0.201
    here.step(sleep, rung=False)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_look_that_takes_long_lets_no_scan_settle_sooner(world):
    here = world()
    here.lag = 10.0  # another inbox lies on a share that is slow
    here.drop("a.png")
    here.step()
    here.lag = 0.0
    here.step(9.9)
    here.step(0.25)
    assert here.hands.jobs == []
    here.step(0.1)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_nothing_is_handed_out_twice(world):
    here = world(parallel=4)
    here.settled("a.png", "b.png")
    for _ in range(3):
        here.step(1.0)
    assert sorted(job.scan.name for job in here.hands.jobs) == ["a.png", "b.png"]
    here.hands.finish()
    here.hands.finish()
    here.step(1.0)
    assert here.hands.jobs == []
    assert (here.status.done, here.status.counts["waiting"]) == (2, 0)


def test_a_newcomer_of_the_same_name_is_a_new_scan(world):
    here = world()
    here.settled("a.png")
    here.hands.finish()
    here.drop("a.png")
    here.step()
    assert here.hands.jobs == []
    here.step(0.3)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_newcomer_that_came_before_its_forerunner_was_taken_in_is_seen_at_once(world):
    here = world()
    here.settled("a.png")
    here.hands.finish()
    here.drop("a.png")
    here.reconciler._look(here.now)  # its bell rang while the result was on its way
    here.step(rung=False)
    here.step(0.3, rung=False)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_with_nothing_to_do_it_sleeps_until_the_next_rescan(world):
    here = world()
    here.step()
    assert here.step(1.0, rung=False) == pytest.approx(59.0, abs=0.1)


def test_an_outage_is_probed_ever_more_rarely_and_fails_nothing(world):
    here = world()
    here.settled(*(f"{n}.png" for n in range(20)))
    probes = 0
    end = here.now + 8 * 3600
    while here.now < end:
        if here.hands.jobs:
            job = here.hands.finish(Unavailable(f"{URL} refuses connections"))
            probes += job.probe
            here.step()
        here.step(max(here.step(rung=False), 0.001), rung=False)
    assert 8 * 3600 / schedule.LONGEST_REST <= probes <= 8 * 3600 / schedule.LONGEST_REST * 1.5 + 10
    assert here.status.counts["waiting"] + here.status.counts["reading"] == 20
    assert not list(here.inbox.failed.iterdir())
    assert "refuses connections" in here.reconciler.snapshot.hosts[0].reason
    while here.hands.jobs or here.status.counts["waiting"]:
        if here.hands.jobs:
            here.hands.finish(proven=True)
        here.step(here.step(rung=False), rung=False)
    assert len(list(here.inbox.done.iterdir())) == 20
    assert here.host.well


def test_after_a_failure_one_scan_tries_the_host_for_all(world):
    here = world(parallel=4)
    here.settled(*(f"{n}.png" for n in range(9)))
    assert len(here.hands.jobs) == 4
    for _ in range(4):
        here.hands.finish(Unavailable("gone"))
    here.step()
    assert here.hands.jobs == []
    here.step(3.0)
    assert [job.probe for job in here.hands.jobs] == [True]
    here.hands.finish(proven=True)
    here.step()
    assert len(here.hands.jobs) == 4
    assert not any(job.probe for job in here.hands.jobs)


def test_a_host_that_passes_its_probe_and_fails_all_the_same_is_asked_ever_more_rarely(world):
    here = world()
    here.settled("a.png")
    asked = 0
    end = here.now + 8 * 3600
    while here.now < end:
        if here.hands.jobs:
            here.hands.finish(Unavailable("too little memory"), proven=here.hands.jobs[0].probe)
            asked += 1
            here.step()
        here.step(max(here.step(rung=False), 0.001), rung=False)
    assert asked <= 8 * 3600 / schedule.LONGEST_REST * 1.5 + 10
    here.step(here.host.rests_until - here.now + 1)
    here.hands.finish(proven=True)
    here.step()
    assert here.host.well


def test_a_look_at_the_model_ends_an_outage_but_not_a_failure_with_a_picture(world):
    hosts = world().reconciler.hosts
    hosts.failed(URL, Unavailable("refuses connections"), 1.0, while_reading=False)
    hosts.looked_well(URL)
    assert hosts[URL].well
    hosts.failed(URL, Unavailable("too little memory"), 1.0, while_reading=True)
    hosts.looked_well(URL)
    assert not hosts[URL].well
    hosts.answered(URL)
    assert hosts[URL].well


def test_what_could_not_be_held_against_a_scan_at_once_is_at_the_next_answer(world):
    here = world()
    record, failure = suspect(here)
    here.reconciler.hosts.failed(URL, failure, 1.0, while_reading=True)
    with sqlite3.connect(here.ledger.path) as other:
        other.execute("ALTER TABLE try RENAME TO hidden")
        other.commit()
        here.reconciler.hosts.answered(URL)
        other.execute("ALTER TABLE hidden RENAME TO try")
    other.close()
    assert here.host.well
    here.reconciler.hosts.answered(URL)
    assert [tried.verdict for tried in here.ledger.tries(record.id)] == [NO_ANSWER]


def suspect(world, verdict=SUSPECT):
    record = world.ledger.open_scan("inbox", "a.png", "x", 1, at=1.0)
    failure = Unavailable("the runner died", suspect=True)
    failure.evidence = world.ledger.add_try(record.id, Try(1, "r", verdict, "died", "", 1.0, 1.0))
    return record, failure


def test_a_suspicion_is_carried_to_a_deep_probe(world):
    here = world()
    here.settled("a.png")
    _, failure = suspect(here)
    here.hands.finish(failure)
    here.step()
    here.step(3.0)
    (job,) = here.hands.jobs
    assert (job.probe, job.deep, job.evidence) == (True, True, (failure.evidence,))


def test_a_suspicion_is_dropped_when_the_host_is_down_for_everybody(world):
    here = world()
    here.settled("a.png")
    record, failure = suspect(here)
    here.hands.finish(failure)
    here.step()
    here.step(3.0)
    here.hands.finish(Unavailable("refuses connections"))
    here.step()
    here.step(10.0)
    assert here.hands.jobs[0].evidence == ()
    here.hands.finish(proven=True)
    here.step()
    assert [tried.verdict for tried in here.ledger.tries(record.id)] == [SUSPECT]


def test_a_suspicion_counts_when_the_host_answers_something_else(world):
    here = world(parallel=2)
    here.settled("a.png", "b.png")
    record, failure = suspect(here)
    here.hands.finish(failure)
    here.step()
    here.hands.finish()
    here.step()
    assert [tried.verdict for tried in here.ledger.tries(record.id)] == [NO_ANSWER]
    assert here.host.well


def test_a_misconfigured_model_parks_the_inbox_and_is_looked_at_every_minute_without_a_scan(world):
    here = world()
    here.settled("a.png", "b.png")
    wrong = Misconfigured("the model m is not installed", "run `ollama pull m`")
    here.hands.finish(wrong)
    here.step()
    assert here.hands.jobs == []
    assert (here.status.parked, here.status.fix) == (wrong.reason, wrong.fix)
    assert here.host.well
    here.step(59.0)
    assert here.hands.jobs == []
    here.step(1.5)
    assert [(job.check, job.scan.name) for job in here.hands.jobs] == [(True, "")]
    here.hands.finish(wrong)
    here.step()
    here.step(61.0)
    here.hands.finish(proven=True, state=ModelState("new", "1"))
    here.step()
    assert here.status.parked == ""
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_model_that_failed_while_asked_is_left_alone_until_it_or_the_server_changes(world):
    here = world()
    here.settled("a.png")
    before = ModelState("digest", "0.33.0")
    here.hands.finish(
        Misconfigured("this server cannot load mllama", "use another", lasting=True), state=before
    )
    here.step()
    for _ in range(3):
        here.step(61.0)
        assert here.hands.jobs[0].check
        here.hands.finish(proven=True, state=before)
        here.step()
        assert here.status.parked
        assert here.hands.jobs == []
    here.step(61.0)
    here.hands.finish(proven=True, state=ModelState("digest", "0.24.0"))
    here.step()
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_refusal_that_passes_ends_with_a_good_look_at_the_model(world):
    here = world()
    here.settled("a.png")
    same = ModelState("digest", "0.33.0")
    here.hands.finish(Misconfigured("this is not an Ollama server (status 404)"), state=same)
    here.step()
    assert here.status.parked
    here.step(61.0)
    here.hands.finish(proven=True, state=same)
    here.step()
    assert here.status.parked == ""
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_refusal_that_comes_back_is_sent_a_picture_ever_more_rarely(world):
    here = world()
    here.settled("a.png")
    same, began, sent, sleep = ModelState("digest", "0.33.0"), here.now, [], 0.0
    while here.now < began + 4 * 3600:
        while here.hands.jobs:
            if here.hands.jobs[0].check:
                here.hands.finish(proven=True, state=same)
            else:
                sent.append(here.now)
                here.hands.finish(Misconfigured("the server wants a login"), state=same)
            sleep = here.step(rung=False)
        sleep = here.step(sleep, rung=False)
    gaps = [round((later - earlier) / 60) for earlier, later in itertools.pairwise(sent)]
    assert gaps[:5] == [1, 2, 4, 8, 16]
    assert set(gaps[5:]) == {30}
    assert len(gaps) > 6


def test_a_refusal_after_a_scan_was_read_is_a_new_one(world):
    here = world()
    here.settled("a.png", "b.png")
    same = ModelState("digest", "0.33.0")
    for ends in (Misconfigured("the server wants a login"), None) * 2:
        here.hands.finish(ends, state=same)
        here.step()
        if ends is not None:
            here.step(61.0)
            here.hands.finish(proven=True, state=same)
            here.step()
            assert here.status.parked == ""
    assert here.status.done == 2


def test_a_new_model_or_server_ends_any_refusal_at_the_next_look(world):
    here = world()
    here.settled("a.png")
    for version in ("0.33.0", "0.33.1", "0.33.2"):
        here.hands.finish(Misconfigured("the server wants a login"), state=ModelState("digest", version))
        here.step()
        here.step(61.0)
        here.hands.finish(proven=True, state=ModelState("digest", version + "0"))
        here.step()
        assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_an_empty_folder_in_place_of_the_inbox_is_taken_for_a_share_that_is_away(world):
    """Under an unmounted share lies its mount point: it can be listed, and nothing is in it."""
    here = world()
    here.step()
    here.inbox.path.rename(here.inbox.path.with_name("away"))
    here.inbox.path.mkdir()
    here.step(61.0, rung=False)
    assert "done: it does not exist" in here.status.parked
    here.inbox.path.rmdir()
    here.inbox.path.with_name("away").rename(here.inbox.path)
    here.step(61.0, rung=False)
    assert here.status.parked == ""


def test_an_inbox_goes_on_at_its_other_host_and_the_log_does_not_call_it_parked(world, capsys):
    log.configure("plain", "info")
    here = world(hosts=(URL, "http://127.0.0.1:2"))
    here.settled("a.png", "b.png")
    host = here.hands.finish(Misconfigured("the model m is not installed")).host
    here.step()
    assert here.status.parked == ""
    lines = [line for line in capsys.readouterr().err.splitlines() if "not installed" in line]
    assert ["parked" in line for line in lines] == [False]
    assert f"host={host}" in lines[0]


def test_a_resting_host_with_a_parked_inbox_does_not_spin(world):
    here = world()
    here.settled("a.png")
    here.hands.finish(Misconfigured("no model"))
    here.step()
    here.step(61.0)
    here.hands.finish(Unavailable("gone"))
    here.step()
    sleeps = []
    for _ in range(40):
        sleeps.append(here.step(rung=False))
        here.step(sleeps[-1], rung=False)
        while here.hands.jobs:
            here.hands.finish(Unavailable("gone"))
            here.step(rung=False)
    assert sum(sleeps) > 40 * 10


def test_a_vanished_inbox_is_parked_never_made_anew_and_goes_on_when_it_is_back(world, tmp_path):
    here = world()
    here.settled("a.png")
    here.hands.finish()
    here.step()
    here.inbox.path.rename(tmp_path / "elsewhere")
    here.step(1.0)
    assert "does not exist" in here.status.parked
    here.step(11.0)
    assert not here.inbox.path.exists()
    (tmp_path / "elsewhere").rename(here.inbox.path)
    here.drop("b.png")
    here.step(11.0)
    assert here.status.parked == ""
    here.step(0.3)
    assert [job.scan.name for job in here.hands.jobs] == ["b.png"]


def test_a_nearly_full_disk_parks_the_inbox_before_any_model_call(world):
    here = world(free_space=10**18)
    here.settled("a.png")
    assert here.hands.jobs == []
    assert "nearly full" in here.status.parked


def test_a_missing_done_folder_parks_the_inbox_before_any_model_call(world):
    here = world()
    here.inbox.done.rmdir()
    here.settled("a.png")
    assert here.hands.jobs == []
    assert "done" in here.status.parked
    here.inbox.done.mkdir()
    here.step(11.0)
    here.step(0.3)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_scan_that_cannot_be_moved_is_kept_back_ever_longer_and_holds_up_nobody(world):
    here = world()
    here.settled("a.png", "b.png")
    wrong = WorldWrong("in → done: the operation is not permitted", "give the right to write there")
    name = here.hands.finish(wrong).scan.name
    here.step()
    assert here.status.parked == ""
    assert here.hands.finish().scan.name != name
    here.step()
    kept = [scan for scan in here.status.scans if scan.name == name]
    assert [(scan.state, scan.reason, scan.fix) for scan in kept] == [("waiting", wrong.reason, wrong.fix)]
    assert (here.status.counts["waiting"], here.status.counts["kept_back"]) == (1, 1)
    tried, end = [], here.now + 3600
    while here.now < end:
        sleep = here.step(rung=False)
        while here.hands.jobs:
            tried.append(here.now)
            here.hands.finish(wrong)
            sleep = here.step(rung=False)
        here.step(sleep, rung=False)
    gaps = [round(later - earlier) for earlier, later in itertools.pairwise(tried)]
    assert gaps == [60, 120, 240, 480, 960]


def test_a_scan_that_cannot_be_moved_because_the_world_is_wrong_parks_the_inbox(world):
    here = world()
    here.settled("a.png", "b.png")
    here.inbox.done.rmdir()
    here.hands.finish(WorldWrong("in → done: it does not exist"))
    here.step()
    assert "does not exist" in here.status.parked
    assert here.hands.jobs == []
    here.inbox.done.mkdir()
    here.step(11.0)
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_what_is_not_whole_arrives_again_and_holds_up_nobody(world):
    here = world()
    here.settled("a.png", "b.png")
    first = here.hands.finish(NotYet("it ends early")).scan.name
    here.step()
    assert [job.scan.name for job in here.hands.jobs] == [{"a.png": "b.png", "b.png": "a.png"}[first]]
    assert [(scan.name, scan.reason) for scan in here.status.scans if scan.state == "arriving"] == [
        (first, "it ends early")
    ]


def test_an_unsupported_scan_is_held_until_it_changes(world):
    here = world()
    here.settled("a.tif")
    here.hands.finish(Unsupported("it has 3 pages"))
    for _ in range(3):
        here.step(61.0)
    assert here.hands.jobs == []
    assert [(scan.state, scan.reason) for scan in here.status.scans] == [("unsupported", "it has 3 pages")]
    Path(here.inbox.path / "a.tif").write_bytes(b"another scan")
    here.step(61.0)
    here.step(11.0)
    here.step(11.0)
    assert [job.scan.name for job in here.hands.jobs] == ["a.tif"]


def test_an_error_that_nobody_foresaw_puts_the_scan_behind_the_others(world):
    here = world()
    here.settled("a.png", "b.png")
    first = here.hands.finish(ZeroDivisionError("a bug")).scan.name
    here.step()
    here.hands.finish()
    here.step()
    assert here.hands.jobs == []
    here.step(31.0)
    assert [job.scan.name for job in here.hands.jobs] == [first]


def test_a_scan_that_was_filed_without_asking_says_nothing_of_the_host(world):
    """A file that is no picture needs no model; neither does it hold anything against other scans."""
    here = world()
    here.settled("a.png", "b.png")
    failure = Unavailable("its queue is full")
    here.hands.finish(failure)
    here.step(1.0)
    before = here.host.failures
    here.step(5.0)
    here.hands.finish(proven=True, answered=False)
    here.step(0.1)
    assert here.status.done == 1
    assert here.host.failures == before == 1
    here.step(5.0)
    here.hands.finish(proven=True)
    here.step(0.1)
    assert here.host.failures == 0


def test_three_inboxes_share_the_turns_though_one_is_empty_in_between(tmp_path):
    ledger, hands = Ledger(tmp_path / "ledger.db"), Hands()
    states = []
    for name in ("a", "b", "c"):
        inbox = an_inbox(tmp_path / name, name=name)
        look_rules = LookRules(skip=frozenset({inbox.done, inbox.failed}))
        states.append(InboxState(inbox, look_rules, network=False, rescan=60.0))
        for number in range({"a": 9, "b": 1, "c": 1}[name]):
            (inbox.path / f"{number}.png").write_bytes(b"a scan")
    recovery = Recovery(ledger, Filer(ledger), {})
    reconciler = Reconciler(states, [Host(URL, "ollama")], ledger, hands, Ears(), tmp_path, recovery)
    turns = []
    for second in range(4):
        reconciler.step(1000.0 + second, rung=True)
        if hands.jobs:
            turns.append(hands.finish().scan.inbox.name)
    ledger.close()
    assert turns == ["a", "b", "c"]


def test_a_scan_that_may_have_ended_its_host_is_not_read_beside_another_one(world):
    here = world(parallel=2)
    here.settled("a.png", "b.png", "c.png", "d.png")
    assert len(here.hands.jobs) == 2
    for name in ("a.png", "b.png"):
        record = here.ledger.open_scan("inbox", name, "x", 1, at=1.0)
        failure = Unavailable("the runner died", suspect=True)
        failure.evidence = here.ledger.add_try(record.id, Try(1, "r", SUSPECT, "died", "", 1.0, 1.0))
        here.hands.finish(failure)
    here.step()
    for name in ("a.png", "b.png"):
        here.step(3.0)
        assert [job.scan.name for job in here.hands.jobs] == [name]
        here.hands.finish(proven=True)
    here.step()
    assert [job.scan.name for job in here.hands.jobs] == ["c.png", "d.png"]


def test_a_suspect_that_was_taken_away_or_cannot_be_read_holds_up_nobody(world):
    here = world(parallel=2)
    here.settled("a.png", "b.png", "c.png")
    _, failure = suspect(here)
    here.hands.finish(failure)
    here.step()
    (here.inbox.path / "a.png").unlink()
    here.hands.finish()
    here.step(3.0)
    here.hands.finish(proven=True)
    here.settled("d.png", "e.png")
    assert [job.scan.name for job in here.hands.jobs] == ["d.png", "e.png"]
    assert here.state.suspects == set()


# --- collections


def collecting(world, tmp_path):
    tables = tmp_path / "tables"
    tables.mkdir()
    file = tables / "all.csv"
    return world(output={"format": "json", "schema": {}, "collect": file}), file


def test_a_collection_that_cannot_be_added_to_parks_the_inbox_before_any_model_call(world, tmp_path):
    here, file = collecting(world, tmp_path)
    file.symlink_to(tmp_path / "elsewhere")
    here.settled("a.png")
    assert here.hands.jobs == []
    assert "all.csv" in here.status.parked
    file.unlink()
    here.step(11.0, rung=False)
    here.step(1.0)
    assert here.status.parked == ""
    assert [job.scan.name for job in here.hands.jobs] == ["a.png"]


def test_a_row_that_could_not_be_written_parks_the_inbox_until_it_is(world, tmp_path):
    here, file = collecting(world, tmp_path)
    here.settled("a.png", "b.png")
    record = here.ledger.open_scan("inbox", "a.png", "a", 1, at=0.0)
    row = Row(str(file.parent), file.name, str(here.inbox.done), '{"vendor": "Rewe"}')
    here.ledger.intend(record.id, Intent("done", str(here.inbox.done), "a.png", "", ()), row)
    here.ledger.filed(record.id, at=1.0)
    here.hands.finish(owes=WorldWrong("the disk is full", "free some space"))
    file.mkdir()
    here.step(1.0)
    assert (here.status.parked, here.status.done) == ("the disk is full", 1)
    assert here.hands.jobs == []
    here.step(11.0, rung=False)
    assert "all.csv" in here.status.parked
    file.rmdir()
    here.step(11.0, rung=False)
    assert here.status.parked == ""
    assert file.read_bytes().splitlines()[1].startswith(b"Rewe,a.png,")
    here.step(1.0)
    assert [job.scan.name for job in here.hands.jobs] == ["b.png"]


def test_rows_that_are_owed_are_written_though_no_scan_comes(world, tmp_path):
    here, file = collecting(world, tmp_path)
    here.step()
    record = here.ledger.open_scan("inbox", "a.png", "a", 1, at=0.0)
    row = Row(str(file.parent), file.name, str(here.inbox.done), '{"vendor": "Rewe"}')
    here.ledger.intend(record.id, Intent("done", str(here.inbox.done), "a.png", "", ()), row)
    here.ledger.filed(record.id, at=1.0)
    here.reconciler._recovery.again(here.now)
    here.step(59.0, rung=False)
    assert not file.exists()
    here.step(2.0, rung=False)
    assert len(file.read_bytes().splitlines()) == 2
