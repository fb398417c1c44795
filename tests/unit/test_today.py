from datetime import datetime

import pytest

from dropscribe.ledger import Intent, Ledger
from dropscribe.today import Today

NOON = datetime(2031, 5, 6, 12).astimezone().timestamp()
DAY = 86400.0


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    yield ledger
    ledger.close()


def ends(ledger, name, at, inbox="in", kind="done"):
    scan = ledger.open_scan(inbox, name, name, 5, at=at)
    ledger.intend(scan.id, Intent(kind, "/in/done", name, "", ()))
    ledger.filed(scan.id, at=at)


@pytest.fixture
def today(ledger):
    ends(ledger, "yesterday", NOON - DAY)
    ends(ledger, "a", NOON - 60)
    ends(ledger, "b", NOON - 50, kind="failed")
    ends(ledger, "c", NOON - 40, inbox="other")
    return Today(ledger, ["in", "other", "idle"])


def test_what_ended_before_this_process_began_is_asked_of_the_ledger(today):
    counts = today.counts(NOON, at_rest=True)
    assert counts == {"in": {"done": 1, "failed": 1}, "other": {"done": 1}, "idle": {}}


def test_what_ends_is_counted_along_and_once(today, ledger):
    today.counts(NOON, at_rest=True)
    ends(ledger, "d", NOON)
    today.ended("in", "done")
    for at_rest in (False, True):
        assert today.counts(NOON, at_rest=at_rest)["in"] == {"done": 2, "failed": 1}


def test_what_nobody_tells_of_is_counted_when_nothing_is_in_hand(today, ledger):
    today.counts(NOON, at_rest=True)
    ends(ledger, "d", NOON)
    today.ask_again()
    assert today.counts(NOON, at_rest=False)["in"]["done"] == 1
    assert today.counts(NOON, at_rest=True)["in"]["done"] == 2


def test_each_day_begins_with_nothing_even_while_scans_are_in_hand(today):
    today.counts(NOON, at_rest=True)
    assert today.counts(NOON + DAY, at_rest=False) == {"in": {}, "other": {}, "idle": {}}
    today.ended("in", "done")
    assert today.counts(NOON + DAY, at_rest=False)["in"] == {"done": 1}


def test_a_clock_that_is_set_back_gets_that_days_counts(today):
    today.counts(NOON + DAY, at_rest=True)
    assert today.counts(NOON, at_rest=True)["in"] == {"done": 1, "failed": 1}


def test_a_ledger_that_cannot_be_read_leaves_the_numbers_known_last(today, ledger):
    today.counts(NOON, at_rest=True)
    ledger.close()
    today.ask_again()
    assert today.counts(NOON, at_rest=True)["in"] == {"done": 1, "failed": 1}
