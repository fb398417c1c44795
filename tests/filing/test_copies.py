"""Moves between file systems, and moves that were stopped between their two halves."""

import errno
import os

import pytest

from dropscribe.errors import Withdrawn, WorldWrong
from dropscribe.filing import atomic
from tests.filing.disks import Across, Fails, Meddled, Quick
from tests.filing.trees import DIGEST, NAME, SCAN, digest, move, seen, tree


@pytest.mark.parametrize("sha256", [DIGEST, "unknown"])
def test_a_scan_that_grows_while_it_is_copied_is_withdrawn_and_its_copy_is_gone(
    tmp_path, inbox, done, sha256
):
    def grow():
        with (inbox / "scan.png").open("ab") as scan:
            scan.write(b"another page")

    with pytest.raises(Withdrawn):
        move(inbox, done, Meddled(Across(), read=grow), sha256=sha256)
    assert tree(tmp_path) == {"done": "folder", "inbox/scan.png": SCAN + b"another page"}


def test_a_scan_is_not_copied_where_its_name_is_taken_anyway(tmp_path, inbox, done):
    (done / NAME).write_bytes(b"an older scan")
    full = Fails(0, errno.ENOSPC)
    with pytest.raises(FileExistsError):
        move(inbox, done, Meddled(Across(), write=lambda: full.write(None, None)))
    assert tree(tmp_path) == {f"done/{NAME}": b"an older scan", "inbox/scan.png": SCAN}


def test_a_scan_whose_time_was_forged_is_known_by_its_content(tmp_path, inbox, done):
    with pytest.raises(Withdrawn):
        move(inbox, done, Across(), sha256=digest(b"what was read"))
    assert tree(tmp_path) == {"done": "folder", "inbox/scan.png": SCAN}


def test_a_copy_that_reads_otherwise_than_it_was_written_is_not_shown(tmp_path, inbox, done):
    class Rotten(Across):
        def around(self, operation, args):
            if operation == "write":
                os.write(args[0], b"?" * len(args[1]))
                return len(args[1])
            return super().around(operation, args)

    with pytest.raises(WorldWrong, match="does not read as it was written"):
        move(inbox, done, Rotten())
    assert tree(tmp_path) == {"done": "folder", "inbox/scan.png": SCAN}


def test_a_newcomer_that_arrives_while_the_scan_is_copied_stays_and_the_scan_is_filed(inbox, done):
    def replace():
        (inbox / "incoming").write_bytes(b"the next scan")
        (inbox / "incoming").replace(inbox / "scan.png")

    disk = Meddled(Across())
    disk.actions["rename_noreplace"] = lambda: disk.actions.update(rename_noreplace=replace)
    move(inbox, done, disk)
    assert tree(done) == {NAME: SCAN}
    assert tree(inbox) == {"scan.png": b"the next scan"}


def test_a_scan_whose_rights_change_while_it_is_copied_is_not_left_behind(inbox, done):
    disk = Meddled(Across())
    disk.actions["rename_noreplace"] = lambda: disk.actions.update(
        rename_noreplace=lambda: (inbox / "scan.png").chmod(0o600)
    )
    move(inbox, done, disk)
    assert tree(done) == {NAME: SCAN}
    assert tree(inbox) == {}


# --- after a stop


def remove_source(inbox, done, *, sha256=DIGEST, expected=None):
    atomic.remove_source(
        inbox, "scan.png", expected or seen(inbox / "scan.png"), done, NAME, sha256, disk=Quick()
    )


def test_a_scan_that_is_in_both_places_leaves_the_inbox(inbox, done):
    (done / NAME).write_bytes(SCAN)
    remove_source(inbox, done)
    assert tree(inbox) == {}
    assert tree(done) == {NAME: SCAN}


@pytest.mark.parametrize("content", [None, b"", SCAN[:-1]])
def test_the_inbox_keeps_a_scan_that_was_not_filed_whole(inbox, done, content):
    if content is not None:
        (done / NAME).write_bytes(content)
    with pytest.raises(Withdrawn):
        remove_source(inbox, done)
    assert tree(inbox) == {"scan.png": SCAN}


def test_a_newcomer_under_the_name_of_a_filed_scan_stays(inbox, done):
    expected = seen(inbox / "scan.png")
    (done / NAME).write_bytes(SCAN)
    (inbox / "scan.png").rename(inbox / "kept")  # so that its inode is not used again
    (inbox / "scan.png").write_bytes(SCAN)
    remove_source(inbox, done, expected=expected)
    assert (inbox / "scan.png").read_bytes() == SCAN


def test_a_scan_has_left_when_nothing_has_its_name(tmp_path, inbox):
    (inbox / "link.png").symlink_to(tmp_path / "nowhere")
    assert not atomic.has_left(inbox, "scan.png")
    assert not atomic.has_left(inbox, "link.png")
    assert atomic.has_left(inbox, "gone.png")
    assert atomic.has_left(inbox, "gone/with/its/folder.png")
    with pytest.raises(WorldWrong):
        atomic.has_left(tmp_path / "unmounted", "scan.png")
