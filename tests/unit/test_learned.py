"""What passes of the reconciler learn of a scanner's gaps: real files, a clock that the test sets."""

import os

import pytest

from dropscribe.desk import Filed
from dropscribe.errors import NotYet, Withdrawn
from dropscribe.jobs import Result
from dropscribe.ledger import Page
from tests.unit.test_reconcile import World


class Scanner:
    """Writes documents of so many pages, with the time stamps of the test's clock."""

    def __init__(self, world):
        self.world = world

    def write(self, name, pages):
        path = self.world.inbox.path / name
        path.write_bytes(b"a page of a scan " * pages)
        os.utime(path, (self.world.now, self.world.now))
        self.world.step(0)

    def after(self, seconds):
        """Time passes, with a look whenever the reconciler asked for one."""
        until = self.world.now + seconds
        while (sleep := self.world.step(0, rung=False)) < until - self.world.now:
            self.world.now += max(sleep, 0.01)
        self.world.now = until
        self.world.step(0, rung=False)


def is_filed(world, pages):
    """The oldest job ends well; `pages` are their texts."""
    job = world.hands.jobs.pop(0)
    where = job.scan.inbox.done / f"{world.now}-{job.scan.name}"
    (job.scan.inbox.path / job.scan.name).rename(where)
    read = tuple(
        Page(number, "r", text, "accepted", "m", "d", "h", "r", 1.0, 1.0)
        for number, text in enumerate(pages, 1)
    )
    world.hands._results.append(Result(job, filed=Filed("done", where, pages=read)))
    world.step(0)


@pytest.fixture
def scanner(tmp_path):
    made = []

    def make(**rules):
        made.append(World(tmp_path, **rules))
        return Scanner(made[-1])

    yield make
    for each in made:
        each.ledger.close()


def learned(here):
    return [(gap.format, gap.waits, gap.gap) for gap in here.world.status.learned]


def test_a_document_that_grows_just_before_it_settles_teaches_its_inbox_to_wait_longer(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(7)
    here.write("a.tif", 2)
    assert learned(here) == [("TIFF", 10.5, 7)]
    assert here.world.ledger.gaps("inbox")["TIFF"].seconds == 7
    here.after(10.4)
    assert here.world.hands.jobs == []
    here.after(0.2)
    assert [job.scan.name for job in here.world.hands.jobs] == ["a.tif"]


def test_other_formats_wait_as_before(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(7)
    here.write("a.tif", 2)
    here.write("b.pdf", 1)
    here.write("c.png", 1)
    here.after(10.2)
    assert [job.scan.name for job in here.world.hands.jobs] == ["c.png"]
    here.world.hands.finish()
    here.world.step(0)
    assert [job.scan.name for job in here.world.hands.jobs] == ["b.pdf"]


def test_a_document_that_grows_while_it_is_read_does_so_too(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(16)
    here.write("a.tif", 2)
    assert learned(here) == []
    here.world.hands.finish(Withdrawn("it changed"))
    here.world.step(0)
    assert learned(here) == [("TIFF", 24, 16)]


def test_growth_that_nobody_saw_before_the_reading_was_given_up_counts_too(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(12)
    here.world.now += 4
    path = here.world.inbox.path / "a.tif"
    path.write_bytes(b"a page of a scan " * 2)
    os.utime(path, (here.world.now, here.world.now))
    here.world.hands.finish(Withdrawn("it changed"))
    here.world.step(0)
    assert learned(here) == [("TIFF", 24, 16)]


def test_a_scan_that_was_taken_away_while_it_was_read_teaches_nothing(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(16)
    (here.world.inbox.path / "a.tif").unlink()
    here.world.hands.finish(Withdrawn("it is gone"))
    here.after(5)
    here.write("a.tif", 2)
    here.after(30)
    assert learned(here) == []


def test_one_that_was_not_whole_when_it_grew_teaches_nothing(scanner):
    here = scanner(settle=None)
    here.write("a.pdf", 1)
    here.after(16)
    here.write("a.pdf", 2)
    here.world.hands.finish(NotYet("the document ends early"))
    here.world.step(0)
    here.after(60)
    assert learned(here) == []


def test_a_document_that_comes_back_with_more_pages_does_so_too(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(11)
    is_filed(here.world, ["one"])
    here.after(4)
    here.write("a.tif", 2)
    here.after(11)
    assert learned(here) == []
    is_filed(here.world, ["one", "two"])
    assert learned(here) == [("TIFF", 22.5, 15)]


@pytest.mark.parametrize("texts", [["two"], ["other", "two"], ["one"]])
def test_a_counter_that_starts_again_teaches_nothing(scanner, texts):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(11)
    is_filed(here.world, ["one"])
    here.after(4)
    here.write("a.tif", 2)
    here.after(11)
    is_filed(here.world, texts)
    assert learned(here) == []


def test_long_after_it_was_filed_nothing_is_learned_nor_remembered(scanner):
    here = scanner(settle=None)
    here.write("a.tif", 1)
    here.after(11)
    is_filed(here.world, ["one"])
    here.after(700)
    here.write("a.tif", 2)
    here.after(11)
    is_filed(here.world, ["one", "two"])
    assert learned(here) == []


def test_who_sets_a_quiet_time_gets_just_that(scanner):
    here = scanner(settle=10.0)
    here.write("a.tif", 1)
    here.after(7)
    here.write("a.tif", 2)
    here.after(10.1)
    assert learned(here) == []
    assert [job.scan.name for job in here.world.hands.jobs] == ["a.tif"]


def test_nothing_is_kept_of_scans_that_have_left(scanner):
    here = scanner(settle=None)
    for number in range(20):
        here.write("a.tif", 1 + number % 3)
        here.after(11)
        here.world.hands.finish() if number % 2 else is_filed(here.world, [str(number)])
        here.after(1)
    here.after(700)
    memory = here.world.state.learned
    assert not any((memory._settled_since, memory._grown, memory._changed, memory._filed, memory._back))
