"""Collections: each row exactly once, wherever writing it was interrupted, and whatever people do with the file."""

import csv
import errno
import io
import json
import os

import pytest

from dropscribe.collect import Collections
from dropscribe.errors import WorldWrong
from dropscribe.filing.appending import Growing, Growth, add_row, end_row
from dropscribe.filing.disk import Disk
from dropscribe.filing.rights import Rights
from dropscribe.ledger import Intent, Ledger, Row
from tests.e2e.harness import tree
from tests.filing.disks import DISKS, Fails, Killed, Quick, Stops

COLUMNS = ["vendor", "total", "filed_as", "filed_at"]


class Room:
    """A ledger in which scans are filed, and the folder of their collection."""

    def __init__(self, root, name="all.csv"):
        self.root = root
        self.folder = root / "done"
        self.folder.mkdir()
        self.name = name
        self.ledger = Ledger(root / "ledger.db")
        self.filed = 0

    @property
    def file(self):
        return self.folder / self.name

    def owe(self, **cells):
        """A scan is filed, and the process ends before its row is written."""
        self.filed += 1
        name = f"{self.filed}.png"
        record = self.ledger.open_scan("in", name, str(self.filed), 1, at=0.0)
        cells = {"vendor": f"Shop {self.filed}", "total": self.filed, **cells}
        row = Row(str(self.folder), self.name, str(self.folder), json.dumps(cells))
        self.ledger.intend(record.id, Intent("done", str(self.folder), name, "", ()), row)
        assert self.ledger.owed_rows("in") == () or self.ledger.owed_rows("in")[-1].scan_id != record.id
        self.ledger.filed(record.id, at=1_000_000.0 + self.filed)

    def write(self, disk=None):
        collections = Collections(self.ledger, disk=disk or Quick())
        return collections.write("in", lambda folder: self.root / folder, lambda: Rights(0o664))

    def begin(self):
        """What stands in the ledger when the process ends right before the row is written."""
        collections = Collections(Forgetful(self.ledger))
        with pytest.raises(Interrupted):
            collections.write("in", lambda folder: self.root / folder, Rights)
        (owed, *_) = self.ledger.owed_rows("in")
        return owed.begun

    def rows(self, name=None):
        text = (self.folder / (name or self.name)).read_bytes().decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def names(self):
        return [row["filed_as"] for row in self.rows()]


class Interrupted(BaseException):
    pass


class Forgetful:
    """The process ends as soon as the ledger knows where the row is to stand."""

    def __init__(self, ledger):
        self._ledger = ledger

    def owed_rows(self, inbox):
        return self._ledger.owed_rows(inbox)

    def begin_row(self, *where):
        self._ledger.begin_row(*where)
        raise Interrupted


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.ledger.close()


def test_a_file_is_made_with_its_header_and_its_rights(room):
    room.owe(vendor="Rewe")
    room.owe(vendor=None)
    assert room.write() == 2
    assert room.file.read_bytes().splitlines()[0] == b"vendor,total,filed_as,filed_at"
    assert [row["vendor"] for row in room.rows()] == ["Rewe", ""]
    assert room.names() == ["1.png", "2.png"]
    assert room.file.stat().st_mode & 0o777 == 0o664
    assert room.write() == 0
    assert room.names() == ["1.png", "2.png"]


def test_a_row_is_owed_only_once_its_scan_is_filed(room):
    record = room.ledger.open_scan("in", "x.png", "x", 1, at=0.0)
    row = Row(str(room.folder), room.name, str(room.folder), "{}")
    room.ledger.intend(record.id, Intent("done", str(room.folder), "x.png", "", ()), row)
    assert room.write() == 0
    room.ledger.drop_intent(record.id)
    room.ledger.intend(record.id, Intent("done", str(room.folder), "x-2.png", "", ()), row)
    room.ledger.drop_intent(record.id)
    room.ledger.intend(record.id, Intent("failed", str(room.folder), "x.png", "no", ()))
    room.ledger.filed(record.id, at=1.0)
    assert room.write() == 0
    assert not room.file.exists()


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
@pytest.mark.parametrize("first", [True, False], ids=["first row", "third row"])
def test_wherever_writing_was_cut_off_the_row_stands_there_once(tmp_path, name, first):
    room = Room(tmp_path, name)
    if not first:
        room.owe()
        room.owe()
        room.write()
    room.owe(vendor='Müller "& Söhne",\nHamburg')
    target, start, data = room.begin()
    before = room.file.read_bytes()
    assert (target, start) == (name, len(before))
    words = [b"%d.png" % room.filed, b"1970-01-12T"]
    for written in range(len(data) + 1):
        room.file.write_bytes(before + data[:written])
        assert end_row(room.folder, Growth(target, start, data), words, disk=Quick())
        assert room.file.read_bytes() == before + data
    room.ledger.close()


@pytest.mark.parametrize("shop", [b"S", b"A longer name"])
def test_a_row_that_somebody_saved_in_another_form_is_not_written_twice(room, shop):
    room.owe()
    room.owe()
    room.write()
    room.owe(vendor="Rewe")
    _, _, data = room.begin()
    whole = room.file.read_bytes() + data
    saved = whole.replace(b"Rewe,3,", b'"Rewe","3",').replace(b"Shop 1", shop)
    room.file.write_bytes(saved)
    assert room.write() == 1
    assert tree(room.folder) == {"all.csv": saved}


def test_a_row_that_was_not_there_when_somebody_saved_the_file_is_added(room):
    room.owe()
    room.write()
    room.owe(vendor="Rewe")
    room.begin()
    room.file.write_bytes(b"vendor;total;filed_as;filed_at;paid\nmine;1;;;yes")
    assert room.write() == 1
    first, second, third = room.file.read_bytes().split(b"\n")[:3]
    assert (first, second) == (b"vendor;total;filed_as;filed_at;paid", b"mine;1;;;yes")
    assert third.startswith(b"Rewe;2;2.png;1970-")
    assert room.file.read_bytes().endswith(b";\n")


def test_a_file_that_holds_only_the_mark_of_utf_8_is_begun_right_behind_it(room):
    room.file.write_bytes(b"\xef\xbb\xbf")
    room.owe(vendor="Rewe")
    room.write()
    assert room.file.read_bytes().startswith(b"\xef\xbb\xbfvendor,total,filed_as,filed_at\r\nRewe,1,1.png,")


def test_a_row_that_was_moved_up_where_others_were_taken_away_is_not_written_twice(room):
    """By its size alone the file looks as it did before the row."""
    room.owe()
    room.write()
    room.owe()
    _, start, data = room.begin()
    head, _ = room.file.read_bytes().splitlines(keepends=True)
    room.file.write_bytes(head + data)
    assert room.file.stat().st_size == start
    room.write()
    assert room.names() == ["2.png"]


def test_a_last_line_without_an_end_gets_one_and_nothing_else_of_it_changes(room):
    theirs = b"vendor,total,filed_as,filed_at\nmine,1,,"
    room.file.write_bytes(theirs)
    room.owe()
    room.write()
    room.owe()
    room.write()
    found = room.file.read_bytes()
    assert found.startswith(theirs + b"\nShop 1,1,1.png,")
    assert found.count(b"\n") == 4
    assert found.endswith(b"\n")


def test_a_schema_that_changed_begins_another_file_and_goes_back_to_the_first(room):
    room.owe()
    room.write()
    before = room.file.read_bytes()
    room.owe(tax="1.90")
    room.owe(tax="2.50")
    room.write()
    assert room.file.read_bytes() == before
    assert [row["tax"] for row in room.rows("all-2.csv")] == ["1.90", "2.50"]
    room.owe()
    room.write()
    assert room.file.read_bytes().startswith(before)
    assert room.names() == ["1.png", "4.png"]
    assert sorted(path.name for path in room.folder.iterdir()) == ["all-2.csv", "all.csv"]


def test_a_file_that_is_no_table_of_ours_is_left_alone(room):
    room.file.write_bytes(b"\xff\xfe notes")
    room.owe()
    room.write()
    assert room.file.read_bytes() == b"\xff\xfe notes"
    assert [row["vendor"] for row in room.rows("all-2.csv")] == ["Shop 1"]


def test_rows_are_not_written_through_links_nor_into_files_with_other_names(room, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"vendor,total,filed_as,filed_at\n")
    room.owe()
    for make in (lambda: room.file.symlink_to(other), lambda: room.file.hardlink_to(other), room.file.mkdir,
                 lambda: os.mkfifo(room.file)):  # fmt: skip
        make()
        with pytest.raises(WorldWrong, match="expected a file to add rows to"):
            room.write()
        room.file.rmdir() if room.file.is_dir() else room.file.unlink()
    assert other.read_bytes() == b"vendor,total,filed_as,filed_at\n"
    assert room.write() == 1


def test_a_vanished_folder_is_not_made_again_and_the_rows_wait(room):
    room.owe()
    room.write()
    room.owe()
    aside = room.folder.rename(room.root / "aside")
    with pytest.raises(WorldWrong, match="does not exist"):
        room.write()
    assert not room.folder.exists()
    aside.rename(room.folder)
    assert room.write() == 1
    assert room.names() == ["1.png", "2.png"]


def test_a_file_that_somebody_took_away_is_begun_anew(room):
    room.owe()
    room.write()
    room.owe()
    room.begin()
    room.file.unlink()
    assert room.write() == 1
    assert room.names() == ["2.png"]


# --- stops and accidents

STARTS = {
    "no file": None,
    "empty": b"",
    "one row": b"vendor,total,filed_as,filed_at\r\nmine,,,\r\n",
    "cut off": b"vendor,total,filed_as,filed_at\r\nmine,,,",
    "another schema": b"vendor\r\nmine",
}


class Rounds:
    """The same beginning again and again: a file, and two rows that are owed; with one ledger, which is quicker."""

    def __init__(self, root, start):
        self.room = Room(root)
        self.start = start
        self.number = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.number += 1
        self.room.folder = self.room.root / str(self.number)
        self.room.folder.mkdir()
        if self.start is not None:
            self.room.file.write_bytes(self.start)
        self.room.owe(vendor="Müller & Söhne")
        self.room.owe()
        return self.room


def check_both_rows(room, start, how):
    """Each once, in order and whole, with nothing of anybody else's changed and nothing hidden left behind."""
    room.write()
    names = {path.name for path in room.folder.iterdir() if not path.name.startswith(".")}
    other = start == STARTS["another schema"]
    assert names == ({"all.csv", "all-2.csv"} if other else {"all.csv"}), how
    if other:
        assert room.file.read_bytes() == start, how
    data = (room.folder / ("all-2.csv" if other else "all.csv")).read_bytes()
    if start and not other:
        assert data.startswith(start), how
    rows = room.rows("all-2.csv" if other else None)
    last = [f"{room.filed - 1}.png", f"{room.filed}.png"]
    assert [row["filed_as"] for row in rows if row["vendor"] != "mine"] == last, how
    assert all(row["filed_at"] for row in rows if row["vendor"] != "mine"), how
    assert data.endswith(b"\n"), how
    assert room.ledger.owed_rows("in") == (), how


@pytest.fixture
def rounds(tmp_path):
    made = []

    def make(start):
        made.append(Rounds(tmp_path, STARTS[start]))
        return made[-1]

    yield make
    for each in made:
        each.room.ledger.close()


@pytest.mark.parametrize("start", STARTS)
def test_stopped_before_any_operation_both_rows_stand_there_once(rounds, start):
    for at, room in enumerate(rounds(start)):
        stopped = False
        try:
            room.write(Stops(at))
        except Killed:
            stopped = True
        check_both_rows(room, STARTS[start], f"stopped before change {at}")
        if not stopped:
            break
    assert at >= 4


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(("code", "lasting"), [(errno.ENOSPC, False), (errno.EIO, True)])
def test_whatever_fails_both_rows_stand_there_once_when_it_is_over(rounds, start, code, lasting):
    told = []
    for at, room in enumerate(rounds(start)):
        disk = Fails(at, code, lasting=lasting)
        try:
            room.write(disk)
        except WorldWrong as wrong:
            told.append((str(room.folder), wrong.reason))
        check_both_rows(room, STARTS[start], f"{disk.failed} failed, operation {at}")
        if not disk.failed:
            break
    assert at >= 8
    assert all(folder in reason for folder, reason in told)


@pytest.mark.parametrize("disk", DISKS)
def test_rows_are_written_on_every_kind_of_file_system(rounds, disk):
    room = next(rounds("no file"))
    if disk == "unique name":
        with pytest.raises(WorldWrong, match="surely replaces none") as wrong:
            room.write(DISKS[disk]())
        assert "make an empty file" in wrong.value.fix
        room.file.touch()
    assert room.write(DISKS[disk]()) == 2
    check_both_rows(room, None, disk)


class Full(Disk):
    """After `room` bytes nothing can be written any more; `stuck`: nothing can be taken back either."""

    def __init__(self, room, stuck=False):
        self.room = room
        self.stuck = stuck

    def write(self, fd, data):
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(fd, data[: min(self.room, 7)])
        self.room -= written
        return written

    def truncate(self, fd, size):
        if self.stuck:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(fd, size)


def test_what_does_not_fit_on_the_disk_leaves_no_torn_line(tmp_path):
    file = tmp_path / "all.csv"
    before = b"vendor\nmine"
    line = b"a row of some length\n"
    places = []
    for room in range(len(line) + 1):
        file.write_bytes(before)
        with pytest.raises(WorldWrong, match="full"):
            add_row(tmp_path, "all.csv", lambda _: line, places.append, disk=Full(room))
        assert file.read_bytes() == before
    file.write_bytes(before)
    assert add_row(tmp_path, "all.csv", lambda _: line, places.append, disk=Full(len(line) + 1))
    assert file.read_bytes() == before + b"\n" + line
    assert {place.start for place in places} == {len(before)}


@pytest.mark.parametrize("theirs", [b"x\n", b"somebody's line, longer than ours is in all\n"])
def test_what_others_wrote_behind_a_torn_line_is_never_taken_back(tmp_path, theirs):
    file = tmp_path / "all.csv"
    file.write_bytes(b"vendor\n")

    class Together(Full):
        def truncate(self, fd, size):
            raise AssertionError("nothing may be taken back here")

        def write(self, fd, data):
            if not self.room:
                with file.open("ab") as other:
                    other.write(theirs)
            return super().write(fd, data)

    with pytest.raises(WorldWrong):
        add_row(tmp_path, "all.csv", lambda _: b"our line\n", lambda _: None, disk=Together(7))
    assert file.read_bytes() == b"vendor\nour lin" + theirs


def test_words_are_found_wherever_they_stand_in_a_large_file(tmp_path):
    file = tmp_path / "all.csv"
    for at in (0, 1 << 20, (1 << 20) - 3, 3 << 20):
        file.write_bytes(b"." * at + b"needle" + b"." * 100)
        fd = os.open(file, os.O_RDONLY)
        try:
            assert Growing(Disk(), fd).has_all([b"needle"])
            assert not Growing(Disk(), fd).has_all([b"needle", b"nothing"])
        finally:
            os.close(fd)
