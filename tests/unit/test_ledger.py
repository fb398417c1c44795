import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dropscribe import log
from dropscribe.errors import UsageError, WorldWrong
from dropscribe.ledger import Asked, Intent, Ledger, OutputFile, Page, Try, store
from dropscribe.ledger.records import asked_of
from dropscribe.values import Gap

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


def test_an_inbox_is_known_once_it_was_met_or_had_a_scan_in_a_ledger_of_before(tmp_path):
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as old:
        for number, script in enumerate(store._MIGRATIONS[:-1], 1):
            old.executescript(f"{script}; PRAGMA user_version = {number}")
        old.execute(
            "INSERT INTO scan (inbox, name, sha256, size, state, taken_at) VALUES ('old', 'a', 'b', 1, 'done', 1)"
        )
    old.close()
    ledger = Ledger(path)
    ledger.meet("new")
    ledger.meet("new")
    again = reopened(ledger)
    assert [name for name in ("old", "new", "never") if again.knows(name)] == ["old", "new"]
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


def test_a_try_of_an_older_version_belongs_to_no_rules(tmp_path):
    old = sqlite3.connect(tmp_path / "old.db")
    for number, script in enumerate(store._MIGRATIONS[:2], 1):
        old.executescript(f"{script}; PRAGMA user_version = {number}")
    old.execute(
        "INSERT INTO scan (inbox, name, sha256, size, state, taken_at) VALUES ('in', 'a', 'x', 1, 'open', 1)"
    )
    old.execute("INSERT INTO try VALUES (1, 1, 1, 'r', 1, 1, 'empty', 'the answer was empty', '')")
    old.commit()
    old.close()
    ledger = Ledger(tmp_path / "old.db")
    assert [tried.rules for tried in ledger.tries(1)] == [""]
    ledger.close()


def test_tries_under_other_rules_are_told_apart(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    for rules in ("old", "", "new"):
        ledger.add_try(scan.id, replace(a_try(), rules=rules))
    assert [tried.rules for tried in ledger.tries(scan.id)] == ["old", "", "new"]
    assert [tried.rules for tried in ledger.tries(scan.id, 1, rules="new")] == ["", "new"]


def test_a_suspect_try_counts_once_confirmed(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    number = ledger.add_try(scan.id, a_try("suspect"))
    ledger.add_try(scan.id, a_try("suspect", page=2))
    ledger.confirm([number], "no answer")
    assert [tried.verdict for tried in ledger.tries(scan.id)] == ["no answer", "suspect"]


ASKED = Asked(
    model="m", digest="sha256:1", host="h", server="0.33.0", prompt_sha256="ab12", options={"temperature": 0.1},
    changed={"temperature": 0.1, "bands": 2}, size=(2_000_000, 1800), bands=2, turn=90,
    sent=((100, 200, "PNG", 3000), (100, 190, "JPEG", 2500)), prompt_tokens=900, tokens=120,
)  # fmt: skip


def test_what_was_asked_is_kept_for_tries_and_pages(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.add_try(scan.id, replace(a_try(), asked=ASKED))
    ledger.accept(scan.id, replace(a_page(), asked=ASKED))
    again = reopened(ledger)
    assert [tried.asked for tried in again.tries(scan.id)] == [ASKED]
    assert again.pages(scan.id, "r")[1].asked == ASKED
    again.close()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"model": "m", "of a later version": 1}', "[" * 10**5]
)
def test_a_record_that_nobody_can_read_breaks_nothing(text):
    found = asked_of(text)
    assert found is None or found.model == "m"


def test_a_try_of_the_version_before_says_nothing_of_what_was_asked(tmp_path):
    old = sqlite3.connect(tmp_path / "old.db")
    for number, script in enumerate(store._MIGRATIONS[:4], 1):
        old.executescript(f"{script}; PRAGMA user_version = {number}")
    old.execute(
        "INSERT INTO scan (inbox, name, sha256, size, state, taken_at) VALUES ('in', 'a', 'x', 1, 'open', 1)"
    )
    old.execute("INSERT INTO try VALUES (1, 1, 1, 'r', 1, 1, 'empty', 'the answer was empty', '', 'r')")
    old.execute("INSERT INTO page VALUES (1, 2, 'r', 'text', 'accepted', 'm', 'd', 'h', 'r', 1, 1, '')")
    old.commit()
    old.close()
    ledger = Ledger(tmp_path / "old.db")
    assert [(tried.verdict, tried.asked) for tried in ledger.tries(1)] == [("empty", None)]
    assert [(page.text, page.asked) for page in ledger.pages(1, "r").values()] == [("text", None)]
    ledger.close()


def test_a_filed_scan_leaves_counts_and_how_its_pages_were_read_but_neither_texts_nor_intents(ledger):
    scan = ledger.open_scan("in", "a.png", "abc", 5, at=1.0)
    ledger.accept(scan.id, replace(a_page(), asked=ASKED))
    ledger.intend(scan.id, INTENT)
    ledger.filed(scan.id, at=50.0)
    assert ledger.open_scans() == ()
    assert ledger.pages(scan.id, "r") == {1: replace(a_page(), asked=ASKED, text="")}
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


# --- damaged ledgers


def a_long_ledger(path):
    """A ledger of many pages, closed, all of it in the one file."""
    ledger = Ledger(path)
    for number in range(300):
        scan = ledger.open_scan("in", f"{number}.png", "abc", 5, at=1.0)
        ledger.add_try(scan.id, a_try())
    ledger.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def damage(path):
    """Every page but the first, which says that this is a database."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def broken(folder):
    return [found.name for found in folder.iterdir() if "broken" in found.name]


def test_a_ledger_with_a_damaged_page_inside_is_put_aside_with_one_line(tmp_path, capsys):
    log.configure("plain", "info")
    a_long_ledger(tmp_path / "ledger.db")
    damage(tmp_path / "ledger.db")
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.open_scans() == ()
    assert ledger.counts("in", since=0) == {}
    ledger.close()
    (kept,) = broken(tmp_path)
    (line,) = capsys.readouterr().err.splitlines()
    assert "began a new ledger" in line
    assert kept in line


def test_a_ledger_that_lost_a_table_is_put_aside(tmp_path):
    a_long_ledger(tmp_path / "ledger.db")
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("DROP TABLE page")
    db.close()
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.pages(1, "r") == {}
    ledger.close()
    assert len(broken(tmp_path)) == 1


def test_a_second_damaged_ledger_does_not_take_the_place_of_the_first(tmp_path):
    for text in (b"one" * 1000, b"two" * 1000, b"three" * 1000):
        (tmp_path / "ledger.db").write_bytes(text)
        Ledger(tmp_path / "ledger.db").close()
    assert len(broken(tmp_path)) == 3


def test_who_only_looks_puts_nothing_aside(tmp_path):
    a_long_ledger(tmp_path / "ledger.db")
    damage(tmp_path / "ledger.db")
    with pytest.raises(WorldWrong, match="damaged") as wrong:
        Ledger(tmp_path / "ledger.db", mend=False)
    assert "begins a new one" in wrong.value.fix
    assert broken(tmp_path) == []


def test_the_newest_gap_of_an_inbox_and_format_is_kept(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.keep_gap("in", "TIFF", Gap(7.0, 1.0))
    ledger.keep_gap("in", "TIFF", Gap(9.0, 2.0))
    ledger.keep_gap("in", "PDF", Gap(20.0, 3.0))
    ledger.close()
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.gaps("in") == {"TIFF": Gap(9.0, 2.0), "PDF": Gap(20.0, 3.0)}
    assert ledger.gaps("other") == {}
    ledger.close()


def test_a_scan_that_is_to_be_filed_is_known_by_its_name(ledger):
    scan = ledger.open_scan("in", STRANGE, "abc", 5, at=1.0)
    assert not ledger.intends("in", STRANGE)
    ledger.intend(scan.id, INTENT)
    assert ledger.intends("in", STRANGE)
    assert not ledger.intends("in", "other.png")
    assert not ledger.intends("other", STRANGE)
    ledger.filed(scan.id, at=2.0)
    assert not ledger.intends("in", STRANGE)


EVERY_ACCESS = {
    "open_scan": lambda ledger: ledger.open_scan("in", "new.png", "new", 5, at=1.0),
    "open_scans": lambda ledger: ledger.open_scans(),
    "withdraw": lambda ledger: ledger.withdraw(1, "gone", at=1.0),
    "blame": lambda ledger: ledger.blame(1),
    "confirm": lambda ledger: ledger.confirm([1], "no answer"),
    "add_try": lambda ledger: ledger.add_try(1, a_try()),
    "tries": lambda ledger: ledger.tries(1),
    "accept": lambda ledger: ledger.accept(1, a_page()),
    "pages": lambda ledger: ledger.pages(1, "r"),
    "intend": lambda ledger: ledger.intend(1, INTENT),
    "intent": lambda ledger: ledger.intent(1),
    "intends": lambda ledger: ledger.intends("in", "scan.png"),
    "has_filed_below": lambda ledger: ledger.has_filed_below("in", Path("/in/review")),
    "drop_intent": lambda ledger: ledger.drop_intent(1),
    "filed": lambda ledger: ledger.filed(1, at=1.0),
    "knows": lambda ledger: ledger.knows("in"),
    "meet": lambda ledger: ledger.meet("new"),
    "owed_rows": lambda ledger: ledger.owed_rows("in"),
    "begin_row": lambda ledger: ledger.begin_row(1, "all.csv", 7, b"a row"),
    "row_written": lambda ledger: ledger.row_written(1),
    "failures_of": lambda ledger: ledger.failures_of("in", "abc"),
    "counts": lambda ledger: ledger.counts("in", since=0.0),
    "keep_gap": lambda ledger: ledger.keep_gap("in", "TIFF", Gap(7.0, 1.0)),
    "gaps": lambda ledger: ledger.gaps("in"),
}


def test_every_access_is_named():
    public = {name for name in dir(Ledger) if not name.startswith("_")}
    assert public - {"check", "close"} == set(EVERY_ACCESS)


@pytest.mark.parametrize("name", EVERY_ACCESS)
@pytest.mark.parametrize("how", ["tables", "pages", "closed"])
def test_a_ledger_that_breaks_while_it_is_used_is_a_world_that_is_wrong(tmp_path, name, how):
    a_long_ledger(tmp_path / "ledger.db")
    ledger = Ledger(tmp_path / "ledger.db")
    if how == "pages":
        damage(tmp_path / "ledger.db")
        ledger._db.execute("PRAGMA shrink_memory")  # or it would answer from its cache
    elif how == "closed":
        ledger.close()
    else:
        with sqlite3.connect(tmp_path / "ledger.db") as db:
            for table in ("scan", "try", "page", "intent", "output", "gap", "collected", "met"):
                db.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
        db.close()
    with pytest.raises(WorldWrong):
        EVERY_ACCESS[name](ledger)
    assert bool(ledger.damaged) == (how != "closed")
    ledger.close()


def test_what_is_no_ledger_is_named_with_what_helps(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    with sqlite3.connect(tmp_path / "other") as db:
        db.execute("CREATE TABLE scan (whose TEXT)")
    db.close()
    for name in ("folder", "null", "other"):
        with pytest.raises(WorldWrong, match=name) as wrong:
            Ledger(tmp_path / name)
        assert "move it away" in wrong.value.fix
    assert broken(tmp_path) == []


def test_asking_for_owed_rows_costs_the_same_however_many_scans_were_filed(tmp_path):
    """Steps of SQLite's machine, which no other load changes."""
    ledger = Ledger(tmp_path / "ledger.db")
    steps = []
    for count in (10, 2000):
        with ledger._transaction() as db:
            db.executemany(
                "INSERT INTO scan (inbox, name, sha256, size, state, taken_at, ended_at)"
                " VALUES ('in', ?, ?, 1, 'done', 1, 1)",
                [(f"{count} {n}".encode(), f"{count} {n}") for n in range(count)],
            )
        asked = []
        ledger._db.set_progress_handler(lambda asked=asked: asked.append(1), 1)
        assert ledger.owed_rows("in") == ()
        ledger._db.set_progress_handler(None, 0)
        steps.append(len(asked))
    ledger.close()
    assert steps[1] <= steps[0] + 5, steps
