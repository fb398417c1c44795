import sqlite3
from dataclasses import replace

import pytest

from dropscribe.errors import UsageError, WorldWrong
from dropscribe.ledger import Intent, Ledger, OutputFile, Page, Try, store

STRANGE = "caf\udce9\n.png"  # a name that is no UTF-8


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path / "state" / "ledger.db")
    yield opened
    opened.close()


def reopened(ledger):
    ledger.close()
    return Ledger(ledger.path)


def a_page(number=1, rules="r", text="words\n", note=""):
    return Page(number, rules, text, "accepted", "m", "sha256:1", "h", "m, temperature 0", 1.5, 100.0, note)


def a_try(verdict="empty", page=1):
    return Try(page, "m, temperature 0", verdict, "the answer was empty", "x", 2.0, 100.0)


INTENT = Intent("done", "/in/done", STRANGE, "", (OutputFile("/in/done", "a.md", "abc", b"text\n"),))


def test_the_same_content_under_the_same_name_is_one_scan_until_it_is_filed(ledger):
    first = ledger.open_scan("in", STRANGE, "abc", 5, at=1.0)
    assert ledger.open_scan("in", STRANGE, "abc", 5, at=2.0).id == first.id
    assert ledger.open_scan("in", STRANGE, "other", 5, at=2.0).id != first.id
    ledger.intend(first.id, INTENT)
    ledger.filed(first.id, at=3.0)
    assert ledger.open_scan("in", STRANGE, "abc", 5, at=4.0).id != first.id


def test_tries_pages_and_intents_outlive_the_process(ledger):
    scan = ledger.open_scan("in", STRANGE, "abc", 5, at=1.0)
    ledger.add_try(scan.id, a_try())
    ledger.accept(scan.id, a_page())
    ledger.intend(scan.id, INTENT)
    again = reopened(ledger)
    assert again.open_scans() == (scan,)
    assert again.tries(scan.id) == (a_try(),)
    assert again.pages(scan.id, "r") == {1: a_page()}
    assert again.intent(scan.id) == INTENT
    again.close()


def test_pages_read_under_other_rules_are_not_used(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.accept(scan.id, a_page(rules="old"))
    assert ledger.pages(scan.id, "new") == {}


def test_an_error_that_nobody_foresaw_is_counted_across_restarts(ledger):
    blamed = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.open_scan("in", "b.png", "def", 5, at=1.0)
    ledger.blame(blamed.id)
    again = reopened(ledger)
    again.blame(blamed.id)
    assert {scan.name: scan.deaths for scan in again.open_scans()} == {"a.png": 2, "b.png": 0}
    again.close()


def test_the_tries_at_one_page_are_told_apart(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    for page in (1, 2, 1):
        ledger.add_try(scan.id, a_try("empty", page=page))
    assert len(ledger.tries(scan.id)) == 3
    assert [tried.page for tried in ledger.tries(scan.id, 1)] == [1, 1]


def test_the_pages_of_a_failed_scan_are_there_again_when_it_comes_back(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.accept(scan.id, a_page())
    ledger.intend(scan.id, replace(INTENT, kind="failed"))
    ledger.filed(scan.id, at=50.0)
    other = ledger.open_scan("in", "other.png", "def", 5, at=2.0)
    assert ledger.pages(other.id, "r") == {}
    again = ledger.open_scan("in", "renamed.png", "abc", 5, at=2.0)
    assert ledger.pages(again.id, "r") == {1: a_page()}
    assert ledger.open_scan("in", "renamed.png", "abc", 5, at=3.0) == again
    assert ledger.pages(again.id, "r") == {1: a_page()}


def test_a_ledger_of_the_first_version_is_brought_up_to_date(tmp_path):
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript(store._MIGRATIONS[0] + "; PRAGMA user_version = 1")
    old.execute(
        "INSERT INTO scan (inbox, name, sha256, size, state, taken_at) VALUES ('in', 'a', 'x', 1, 'open', 1)"
    )
    old.execute("INSERT INTO page VALUES (1, 1, 'r', 'text', 'accepted', 'm', 'd', 'h', 'r', 1, 1)")
    old.commit()
    old.close()
    ledger = Ledger(tmp_path / "old.db")
    assert ledger.pages(1, "r")[1].note == ""
    ledger.accept(1, a_page(note="blank"))
    assert ledger.pages(1, "r")[1].note == "blank"
    ledger.close()


def test_a_suspect_try_counts_once_confirmed(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    number = ledger.add_try(scan.id, a_try("suspect"))
    ledger.add_try(scan.id, a_try("suspect", page=2))
    ledger.confirm([number], "no answer")
    assert [tried.verdict for tried in ledger.tries(scan.id)] == ["no answer", "suspect"]


def test_a_filed_scan_leaves_counts_but_neither_pages_nor_intents(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.accept(scan.id, a_page())
    ledger.intend(scan.id, INTENT)
    ledger.filed(scan.id, at=50.0)
    assert ledger.open_scans() == ()
    assert ledger.pages(scan.id, "r") == {}
    assert ledger.intent(scan.id) is None
    assert ledger.counts("in", since=49.0) == {"done": 1}
    assert ledger.counts("in", since=51.0) == {}
    with sqlite3.connect(ledger.path) as db:
        assert db.execute("SELECT sum(length(data)) FROM output").fetchone() == (0,)
    db.close()


def test_every_commit_waits_for_the_disk(ledger):
    assert ledger._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert ledger._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_ledger_of_a_newer_program_is_left_alone(ledger):
    path = ledger.path
    ledger._db.execute("PRAGMA user_version = 999")
    ledger.close()
    with pytest.raises(UsageError, match="newer dropscribe"):
        Ledger(path)


def test_a_broken_ledger_is_put_aside_and_a_new_one_begun(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database at all" * 100)
    ledger = Ledger(path)
    assert ledger.open_scans() == ()
    ledger.close()
    kept = [found for found in tmp_path.iterdir() if "broken" in found.name]
    assert [found.read_bytes()[:7] for found in kept] == [b"this is"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((WorldWrong, OSError)):
        Ledger(tmp_path / "file" / "ledger.db")
