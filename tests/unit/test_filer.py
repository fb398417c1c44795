"""Every row of ARCHITECTURE.md's table of states: what the next look, or the next start, makes of it."""

import hashlib
import os

import pytest

from dropscribe import log
from dropscribe.errors import Withdrawn, WorldWrong
from dropscribe.filer import Arrived, Filer, Place
from dropscribe.ledger import Intent, Ledger, OutputFile
from dropscribe.recovery import Recovery
from dropscribe.values import Fingerprint
from tests.folders import pinned

SCAN, TEXT = b"the scan", b"the text\n"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Household:
    """An inbox with a scan `x.jpg` that was read, and a filer on it."""

    def __init__(self, root):
        self.inbox, self.done, self.failed = root / "inbox", root / "inbox/done", root / "inbox/failed"
        for folder in (self.inbox, self.done, self.failed):
            folder.mkdir()
        self.ledger = Ledger(root / "ledger.db")
        self.filer = Filer(self.ledger)
        (self.inbox / "x.jpg").write_bytes(SCAN)
        self.record = self.ledger.open_scan("inbox", "x.jpg", sha256(SCAN), len(SCAN), at=1.0)
        self.fingerprint = Fingerprint.of((self.inbox / "x.jpg").stat())

    @property
    def scan(self):
        return Arrived(self.record, self.inbox, self.fingerprint)

    def place(self, kind="done", name="x.jpg"):
        folder = self.done if kind == "done" else self.failed
        return Place(kind, folder, name, folder, {folder: folder}, whole_name=kind == "failed")

    def intend(self):
        """What the ledger holds when the process stops after the intent."""
        output = OutputFile(os.fspath(self.done), "x.md", sha256(TEXT), TEXT)
        self.ledger.intend(self.record.id, Intent("done", os.fspath(self.done), "x.jpg", "", (output,)))

    def come_back(self):
        self.record = self.ledger.open_scan("inbox", "x.jpg", sha256(SCAN), len(SCAN), at=2.0)
        self.fingerprint = Fingerprint.of((self.inbox / "x.jpg").stat())

    def tree(self):
        return {
            str(path.relative_to(self.inbox)): path.read_bytes()
            for path in self.inbox.rglob("*")
            if path.is_file()
        }

    @property
    def open(self):
        return bool(self.ledger.open_scans())


@pytest.fixture
def home(tmp_path):
    household = Household(tmp_path)
    yield household
    household.ledger.close()


DONE = {"done/x.jpg": SCAN, "done/x.md": TEXT}


def test_scan_and_text_are_filed_under_one_stem(home):
    where = home.filer.file(home.scan, home.place(), {".md": TEXT, ".meta.json": b"{}\n"})
    assert home.tree() == {**DONE, "done/x.meta.json": b"{}\n"}
    assert where == home.done / "x.jpg"
    assert not home.open


def test_a_failed_scan_is_filed_with_its_reason_under_its_whole_name(home):
    home.filer.file(home.scan, home.place("failed"), {".reason.txt": b"why\n"}, "why")
    assert home.tree() == {"failed/x.jpg": SCAN, "failed/x.jpg.reason.txt": b"why\n"}


@pytest.mark.parametrize("taken", ["x.md", "x.jpg"])
def test_a_taken_name_moves_both_to_the_next_stem_and_is_left_alone(home, taken):
    (home.done / taken).write_bytes(b"older")
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == {f"done/{taken}": b"older", "done/x-2.jpg": SCAN, "done/x-2.md": TEXT}


def test_stopped_before_the_text(home):
    home.intend()
    home.filer.finish(home.scan)
    assert home.tree() == DONE


def test_stopped_between_text_and_scan(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    before = (home.done / "x.md").stat().st_ino
    home.filer.finish(home.scan)
    assert home.tree() == DONE
    assert (home.done / "x.md").stat().st_ino == before
    assert not home.open


def test_stopped_and_somebody_took_the_name(home):
    home.intend()
    (home.done / "x.md").write_bytes(b"somebody else's")
    assert home.filer.finish(home.scan) is None
    assert home.open
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == {"done/x.md": b"somebody else's", "done/x-2.jpg": SCAN, "done/x-2.md": TEXT}


def test_stopped_and_somebody_took_the_scans_name(home):
    home.intend()
    (home.done / "x.jpg").write_bytes(b"somebody else's")
    assert home.filer.finish(home.scan) is None
    assert home.tree() == {"x.jpg": SCAN, "done/x.jpg": b"somebody else's"}


def test_stopped_between_link_and_unlink(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    os.link(home.inbox / "x.jpg", home.done / "x.jpg")
    home.fingerprint = Fingerprint.of((home.inbox / "x.jpg").stat())
    home.filer.finish(home.scan)
    assert home.tree() == DONE


def test_stopped_after_a_copy_to_another_file_system(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.done / "x.jpg").write_bytes(SCAN)
    home.filer.finish(home.scan)
    assert home.tree() == DONE


def test_swapped_while_it_was_read(home):
    other = home.inbox / "other"
    other.write_bytes(b"another scan")
    other.replace(home.inbox / "x.jpg")
    with pytest.raises(Withdrawn):
        home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == {"x.jpg": b"another scan"}
    assert not home.open


def test_a_scan_that_cannot_leave_has_no_text_in_done(home):
    with pinned(home.inbox / "x.jpg"):
        home.come_back()
        with pytest.raises(WorldWrong, match="not permitted"):
            home.filer.file(home.scan, home.place(), {".md": TEXT})
        assert home.tree() == {"x.jpg": SCAN}
        assert home.open
    home.come_back()
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == DONE


def test_a_scan_that_left_keeps_its_text_whatever_went_wrong_afterwards(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.done / "x.jpg").write_bytes(SCAN)
    with pinned(home.inbox / "x.jpg"):
        home.fingerprint = Fingerprint.of((home.inbox / "x.jpg").stat())
        with pytest.raises(WorldWrong):
            home.filer.finish(home.scan)
        assert home.tree() == {**DONE, "x.jpg": SCAN}
    home.fingerprint = Fingerprint.of((home.inbox / "x.jpg").stat())
    home.filer.finish(home.scan)
    assert home.tree() == DONE


def recovery(home):
    return Recovery(home.ledger, home.filer, {"inbox": home.inbox})


def test_an_intent_whose_folder_is_away_waits_and_is_settled_when_it_is_back(home, capsys):
    log.configure("plain", "info")
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.inbox / "x.jpg").rename(home.done / "x.jpg")
    home.done.rename(home.inbox / "elsewhere")
    looking = recovery(home)
    for now in (0.0, 61.0, 122.0):
        looking.look(now)
        assert home.open
    (line,) = capsys.readouterr().err.splitlines()
    assert "inbox/x.jpg" in line
    assert "does not exist" in line
    (home.inbox / "elsewhere").rename(home.done)
    looking.look(130.0)
    assert home.open
    looking.look(183.0)
    assert home.tree() == DONE
    assert not home.open
    assert looking.due is None


def test_one_record_that_cannot_be_settled_holds_up_no_other(home):
    lost = home.ledger.open_scan("inbox", "lost.jpg", sha256(b"lost"), 4, at=0.5)
    home.ledger.intend(lost.id, Intent("done", "/nowhere/at/all", "lost.jpg", "", ()))
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.inbox / "x.jpg").rename(home.done / "x.jpg")
    recovery(home).look(0.0)
    assert [record.name for record in home.ledger.open_scans()] == ["lost.jpg"]


def test_nothing_is_settled_while_the_inbox_itself_is_away(home, tmp_path):
    home.done.rename(tmp_path / "done")
    home.done = tmp_path / "done"
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    home.inbox.rename(tmp_path / "unmounted")
    looking = recovery(home)
    looking.look(0.0)
    assert (home.done / "x.md").read_bytes() == TEXT
    (tmp_path / "unmounted").rename(home.inbox)
    looking.look(61.0)
    assert home.tree() == {"x.jpg": SCAN}
    assert home.open


def test_grown_while_it_was_read(home):
    with (home.inbox / "x.jpg").open("ab") as scan:
        scan.write(b" goes on")
    with pytest.raises(Withdrawn):
        home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == {"x.jpg": b"the scan goes on"}


def test_stopped_before_the_ledger_was_told(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.inbox / "x.jpg").rename(home.done / "x.jpg")
    assert home.filer.recover(home.record, home.inbox) == home.done / "x.jpg"
    assert home.tree() == DONE
    assert not home.open


def test_stopped_and_somebody_took_the_scan_away(home):
    home.intend()
    (home.done / "x.md").write_bytes(TEXT)
    (home.inbox / "x.jpg").unlink()
    assert home.filer.recover(home.record, home.inbox) is None
    assert home.tree() == {}
    assert not home.open


def test_a_text_that_was_edited_meanwhile_is_never_taken_back(home):
    home.intend()
    (home.done / "x.md").write_bytes(b"edited by hand\n")
    (home.inbox / "x.jpg").unlink()
    home.filer.recover(home.record, home.inbox)
    assert home.tree() == {"done/x.md": b"edited by hand\n"}


def test_what_lies_in_the_inbox_is_left_to_the_next_look(home):
    home.intend()
    assert home.filer.recover(home.record, home.inbox) is None
    assert home.tree() == {"x.jpg": SCAN}
    assert home.open


def test_a_scan_that_came_back_from_failed_leaves_no_old_reason_there(home):
    home.filer.file(home.scan, home.place("failed"), {".reason.txt": b"why\n"}, "why")
    (home.failed / "x.jpg").rename(home.inbox / "x.jpg")
    home.come_back()
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == DONE


def test_the_reason_of_a_failed_scan_that_is_still_there_stays(home):
    home.filer.file(home.scan, home.place("failed"), {".reason.txt": b"why\n"}, "why")
    (home.inbox / "x.jpg").write_bytes(SCAN)
    home.come_back()
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert home.tree() == {**DONE, "failed/x.jpg": SCAN, "failed/x.jpg.reason.txt": b"why\n"}


@pytest.mark.parametrize(("folder", "text"), [(0o755, 0o644), (0o700, 0o600), (0o2775, 0o664)])
def test_who_may_use_the_inbox_may_use_the_text(home, folder, text):
    home.inbox.chmod(folder)
    home.filer.file(home.scan, home.place(), {".md": TEXT})
    assert (home.done / "x.md").stat().st_mode & 0o777 == text


def test_hundreds_of_scans_of_one_name_each_get_their_own(home):
    for number in range(300):
        (home.inbox / "x.jpg").write_bytes(SCAN + b"%d" % number)
        home.record = home.ledger.open_scan("inbox", "x.jpg", sha256(SCAN + b"%d" % number), 1, at=1.0)
        home.fingerprint = Fingerprint.of((home.inbox / "x.jpg").stat())
        home.filer.file(home.scan, home.place(), {".md": b"%d\n" % number})
    texts = {path.stem: path.read_bytes() for path in home.done.glob("*.md")}
    scans = {path.stem: path.read_bytes() for path in home.done.glob("*.jpg")}
    assert len(texts) == 300
    assert scans == {stem: SCAN + text.strip() for stem, text in texts.items()}


class Meanwhile(Ledger):
    """A ledger right after whose first intent something else happens."""

    def __init__(self, path, happens):
        super().__init__(path)
        self._happens = [happens]

    def intend(self, scan_id, intent, row=None):
        super().intend(scan_id, intent, row)
        while self._happens:
            self._happens.pop()()


def test_the_text_of_another_daemon_stays_even_where_it_says_the_same(home, tmp_path):
    """Where locks hold nobody, both have read the scan and want the same names for the same words."""
    ours = Meanwhile(
        tmp_path / "ours.db",
        lambda: home.filer.file(home.scan, home.place(), {".md": TEXT}),
    )
    record = ours.open_scan("inbox", "x.jpg", sha256(SCAN), len(SCAN), at=1.0)
    arrived = Arrived(record, home.inbox, home.fingerprint)
    with pytest.raises(Withdrawn):
        Filer(ours).file(arrived, home.place(), {".md": TEXT})
    ours.close()
    assert home.tree() == {"done/x.jpg": SCAN, "done/x.md": TEXT}
