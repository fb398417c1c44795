import errno
import os
import stat

import pytest

from dropscribe.errors import NotYet, Withdrawn, WorldWrong
from dropscribe.filing import atomic, shelf
from dropscribe.values import Fingerprint
from tests.filing.disks import DISKS, ROADS, Meddled, Mirror, NewInodes, Quick, WithoutLinks, WithoutRights
from tests.filing.trees import DIGEST, NAME, SCAN, move, seen, tree, visible

HOSTILE = [
    b"new\nline.png",
    b"\xff\xfe.png",
    b"-rf.png",
    b"$(touch x);.png",
    b"\xe2\x80\xaegnp.exe.png",
    b"a" * 251 + b".png",
]


def test_a_moved_scan_is_whole_in_its_new_place_and_nowhere_else(tmp_path, inbox, done, road):
    os.utime(inbox / "scan.png", ns=(1_000_000_000, 1_234_567_890_123_456_789))
    (inbox / "scan.png").chmod(0o604)
    move(inbox, done, road)
    assert tree(tmp_path / "inbox") == {}
    assert tree(done) == {NAME: SCAN}
    assert (done / NAME).stat().st_mtime_ns == 1_234_567_890_123_456_789
    if not isinstance(road, WithoutRights):
        assert stat.S_IMODE((done / NAME).stat().st_mode) == 0o604


@pytest.mark.parametrize("raw", HOSTILE, ids=ascii)
@pytest.mark.parametrize("kind", ["rename", "link", "across"])
def test_any_name_that_a_disk_can_hold_is_moved_byte_by_byte(inbox, done, kind, raw):
    name = os.fsdecode(raw)
    try:
        (inbox / "scan.png").rename(inbox / name)
    except OSError:
        pytest.skip("this file system refuses such names itself")
    move(inbox, done, ROADS[kind](), name=name, to=name)
    assert [os.fsencode(path.name) for path in done.iterdir()] == [raw]


def test_a_scan_in_a_folder_of_the_inbox_is_moved_from_there(inbox, done, road):
    (inbox / "a" / "b").mkdir(parents=True)
    (inbox / "a" / "b" / "deep.png").write_bytes(SCAN)
    move(inbox, done, road, name="a/b/deep.png")
    assert tree(done) == {NAME: SCAN}
    assert tree(inbox) == {"a/b": "folder", "scan.png": SCAN}


@pytest.mark.parametrize("what", ["gone", "rewritten", "touched", "replaced", "link", "folder"])
def test_a_scan_that_is_not_the_file_that_was_read_stays(tmp_path, inbox, done, road, what):
    expected = seen(inbox / "scan.png")
    scan = inbox / "scan.png"
    if what == "rewritten":
        scan.write_bytes(SCAN[::-1])
    elif what == "touched":
        os.utime(scan, ns=(1, 1))
        os.utime(scan, ns=(1, expected.mtime_ns))  # as it was, but for its ctime
    else:
        scan.rename(tmp_path / "elsewhere")
        if what == "replaced":
            scan.write_bytes(SCAN)
        elif what == "link":
            scan.symlink_to(tmp_path / "elsewhere")
        elif what == "folder":
            scan.mkdir()
    before = tree(tmp_path)
    with pytest.raises(Withdrawn):
        move(inbox, done, road, expected=expected)
    assert tree(tmp_path) == before


def test_a_scan_behind_a_link_that_took_its_folders_place_stays(tmp_path, inbox, done, road):
    (inbox / "sub").mkdir()
    (inbox / "sub" / "scan.png").write_bytes(SCAN)
    expected = seen(inbox / "sub" / "scan.png")
    (inbox / "sub").rename(tmp_path / "elsewhere")
    (inbox / "sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Withdrawn):
        move(inbox, done, road, name="sub/scan.png", expected=expected)
    assert (tmp_path / "elsewhere" / "scan.png").read_bytes() == SCAN


STEP = {"rename": "rename_noreplace", "link": "link", "unique name": "rename"}


@pytest.mark.parametrize("kind", STEP)
def test_a_newcomer_that_takes_the_scans_name_in_the_last_moment_goes_back(inbox, done, kind):
    def replace():
        (inbox / "incoming").write_bytes(b"the next scan")
        (inbox / "incoming").replace(inbox / "scan.png")

    disk = Meddled(DISKS[kind](), **{STEP[kind]: replace})
    with pytest.raises(Withdrawn):
        move(inbox, done, disk)
    assert tree(done) == {}
    assert list(tree(inbox).values()) == [b"the next scan"]
    if kind != "unique name":
        assert tree(inbox) == {"scan.png": b"the next scan"}


def test_a_newcomer_whose_name_is_taken_again_goes_back_under_another(inbox, done):
    def replace():
        (inbox / "scan.png").write_bytes(b"the second scan")
        disk.actions["rename_noreplace"] = lambda: (inbox / "scan.png").write_bytes(b"the third scan")

    disk = Meddled(rename_noreplace=replace)
    with pytest.raises(Withdrawn):
        move(inbox, done, disk)
    assert tree(done) == {}
    assert sorted(tree(inbox).values()) == [b"the second scan", b"the third scan"]
    assert all(name.startswith("scan") and name.endswith(".png") for name in tree(inbox))


def test_a_name_taken_in_the_last_moment_is_not_taken_from_its_owner(tmp_path, inbox, done, road):
    def take():
        (done / NAME).write_bytes(b"somebody else's")

    # Where names cannot be refused, only the look before the rename tells; unique names make up for that.
    first = "stat" if isinstance(getattr(road, "real", road), WithoutLinks) else "rename_noreplace"
    with pytest.raises(FileExistsError):
        move(inbox, done, Meddled(road, **{first: take}))
    assert visible(tmp_path) == {"done/" + NAME: b"somebody else's", "inbox/scan.png": SCAN}
    assert tree(tmp_path) == visible(tmp_path)


def test_a_scan_that_leaves_in_the_last_moment_is_withdrawn(inbox, done, road):
    with pytest.raises(Withdrawn):
        move(inbox, done, Meddled(road, rename_noreplace=(inbox / "scan.png").unlink))
    assert tree(done) == {}


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ETXTBSY], ids=errno.errorcode.get)
def test_a_scan_that_a_writer_still_holds_open_is_not_yet_ready(inbox, done, code):
    class Busy(Quick):
        def rename_noreplace(self, *args):
            raise OSError(code, os.strerror(code))

    with pytest.raises(NotYet):
        move(inbox, done, Busy())
    assert tree(inbox) == {"scan.png": SCAN}
    assert tree(done) == {}


def test_a_new_inode_of_the_same_content_is_the_same_scan(inbox, done):
    move(inbox, done, NewInodes())
    assert tree(done) == {NAME: SCAN}


def test_a_scan_without_a_known_digest_is_moved_too(inbox, done, road):
    move(inbox, done, road, sha256="unread:1:2:3")
    assert tree(done) == {NAME: SCAN}
    assert tree(inbox) == {}


def test_a_scan_is_not_filed_into_its_own_folder_under_any_path(tmp_path, inbox, road):
    (tmp_path / "link").symlink_to(inbox)
    for folder in (inbox, tmp_path / "link"):
        with pytest.raises(WorldWrong, match="cannot be filed here"):
            move(inbox, folder, road, to="scan.png")
        with pytest.raises(WorldWrong, match="cannot be filed here"):
            atomic.remove_source(
                inbox, "scan.png", seen(inbox / "scan.png"), folder, "scan.png", DIGEST, disk=road
            )
    assert tree(inbox) == {"scan.png": SCAN}


def test_a_second_path_to_the_only_name_of_a_scan_is_no_second_name(inbox, done):
    with pytest.raises(FileExistsError):
        move(inbox, done, Mirror(inbox / "scan.png"))
    assert tree(inbox) == {"scan.png": SCAN}


def test_a_scan_stopped_between_its_two_names_only_loses_the_old_one(inbox, done, road):
    before = seen(inbox / "scan.png")
    (done / NAME).hardlink_to(inbox / "scan.png")
    move(inbox, done, road, expected=before)
    assert tree(inbox) == {}
    assert tree(done) == {NAME: SCAN}


@pytest.mark.parametrize("folder", ["inbox", "done"])
def test_a_vanished_folder_is_a_wrong_world_and_is_not_made_again(tmp_path, inbox, done, folder):
    expected = seen(inbox / "scan.png")
    (tmp_path / folder).rename(tmp_path / "unmounted")
    before = tree(tmp_path)
    with pytest.raises(WorldWrong, match="does not exist"):
        move(inbox, done, Quick(), expected=expected)
    assert tree(tmp_path) == before


def test_the_fingerprint_of_a_moved_scan_is_the_one_it_had_but_for_its_ctime(inbox, done):
    before = seen(inbox / "scan.png")
    move(inbox, done, Quick())
    assert Fingerprint.of((done / NAME).stat()).same_content_as(before)


@pytest.mark.parametrize("name", ["../inbox/scan.png", "sub/../scan.png", "/etc/passwd"])
def test_a_scan_is_never_sought_outside_its_inbox(inbox, done, name):
    (inbox / "sub").mkdir()
    with pytest.raises(ValueError, match="not the name"):
        move(inbox, done, Quick(), name=name, expected=seen(inbox / "scan.png"))


def test_only_a_unique_name_is_taken_where_nothing_can_refuse_to_replace(tmp_path, inbox, done):
    before = tree(tmp_path)
    with pytest.raises(atomic.NotUniqueError):
        atomic.publish(done, "scan.md", b"text\n", disk=WithoutLinks())
    with pytest.raises(atomic.NotUniqueError):
        move(inbox, done, WithoutLinks(), to="scan.png")
    assert tree(tmp_path) == before
    name = atomic.unique_name("scan.png")
    move(inbox, done, WithoutLinks(), to=name)
    assert tree(done) == {name: SCAN}
    assert shelf.split(name)[1] == ".png"
