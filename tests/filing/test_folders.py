import errno
import itertools
import os
import sys
from pathlib import Path

import pytest

from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic
from tests.filing.disks import Across, Fails, Quick
from tests.filing.trees import lay, move, tree


def test_missing_folders_are_made_below_a_root(done):
    atomic.make_folder(done / "a" / "b", below=done)
    atomic.make_folder(done / "a" / "b" / "c", below=done)
    atomic.make_folder(done, below=done)
    assert tree(done) == {"a/b/c": "folder"}


def test_a_vanished_root_is_never_made(tmp_path):
    for path in (tmp_path / "gone", tmp_path / "gone" / "sub"):
        with pytest.raises(WorldWrong, match="does not exist"):
            atomic.make_folder(path, below=tmp_path / "gone")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("bait", ["file", "link", "dangling link"])
def test_no_folder_is_made_through_what_stands_in_its_place(tmp_path, done, bait):
    lay(bait, done / "sub", tmp_path)
    before = tree(tmp_path)
    with pytest.raises(WorldWrong, match="not a folder"):
        atomic.make_folder(done / "sub" / "deeper", below=done)
    assert tree(tmp_path) == before


def test_no_folder_is_made_outside_its_root(done):
    with pytest.raises(ValueError, match="not the name"):
        atomic.make_folder(done / ".." / "other", below=done)


def test_a_probe_leaves_nothing_behind(done, disk):
    (done / "scan.md").write_bytes(b"text\n")
    atomic.probe(done, disk=disk)
    assert tree(done) == {"scan.md": b"text\n"}


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC], ids=errno.errorcode.get)
def test_a_probe_tells_in_words_what_is_wrong(done, code):
    wrongs = []
    for at in itertools.count():
        disk = Fails(at, code, real=Quick())
        try:
            atomic.probe(done, disk=disk)
        except WorldWrong as error:
            wrongs.append(error)
        else:
            break
        if disk.failed != "unlink":
            assert tree(done) == {}
    assert len(wrongs) > 5
    assert all(str(done) in wrong.reason and wrong.fix for wrong in wrongs)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_probe_of_a_folder_that_may_not_be_written_to_fails(done):
    done.chmod(0o555)
    with pytest.raises(WorldWrong, match="permission denied"):
        atomic.probe(done)


def test_free_space_is_what_the_file_system_says_and_boundless_where_it_does_not(done):
    class Silent(Quick):
        def space(self, folder):
            fields = list(os.fstatvfs(folder))
            fields[2:5] = [0, 0, 0]
            return os.statvfs_result(fields)

    assert 0 < atomic.free_space(done) < sys.maxsize
    assert atomic.free_space(done, disk=Silent()) == sys.maxsize


def test_sweeping_removes_our_leftovers_and_nothing_that_looks_like_them(tmp_path, done):
    (done / ".dropscribe-0123456789ab.part").write_bytes(b"half")
    (done / ".dropscribe-ba9876543210.part").write_bytes(b"")
    lay("link", done / ".dropscribe-000000000000.part", tmp_path)
    (done / ".dropscribe-111111111111.part").mkdir()
    kept = [".dropscribe-0123456789ab.part.png", ".dropscribe-short.part", "scan.part", ".hidden"]
    for name in kept:
        (done / name).write_bytes(b"a stranger's")
    (done / "sub").mkdir()
    (done / "sub" / ".dropscribe-0123456789ab.part").write_bytes(b"half")
    assert atomic.sweep(done) == 2
    others = {"sub", ".dropscribe-000000000000.part", ".dropscribe-111111111111.part"}
    assert {path.name for path in done.iterdir()} == {*kept, *others}
    assert (tmp_path / "victim").read_bytes() == b"not yours"
    assert tree(done / "sub") == {".dropscribe-0123456789ab.part": b"half"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_sweeping_leaves_what_belongs_to_another_user(done):
    (done / ".dropscribe-0123456789ab.part").write_bytes(b"half")
    os.chown(done / ".dropscribe-0123456789ab.part", 12345, 12345)
    assert atomic.sweep(done) == 0
    assert tree(done) == {".dropscribe-0123456789ab.part": b"half"}


def test_no_descriptor_stays_open_whatever_fails(inbox, done):
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("descriptors cannot be counted here")
    before = len(list(descriptors.iterdir()))
    for at in range(60):
        for disk in (Fails(at, errno.EIO), Fails(at, errno.EIO, real=Across())):
            try:
                atomic.publish(done, f"{at}-{id(disk)}.md", b"text\n", disk=disk)
                if (inbox / "scan.png").exists():
                    move(inbox, done, disk, to=f"{at}-{id(disk)}.png")
            except WorldWrong:
                pass
    assert len(list(descriptors.iterdir())) == before
