import os
import stat

import pytest

from dropscribe.filing import atomic
from dropscribe.filing.rights import Rights
from tests.filing.disks import Quick
from tests.filing.trees import NAME, TEXT_NAME, digest, lay, move, tree


def test_a_published_text_is_there_whole_and_alone(done, disk):
    atomic.publish(done, TEXT_NAME, b"text\n" * 10_000, disk=disk)
    assert tree(done) == {TEXT_NAME: b"text\n" * 10_000}
    assert (done / TEXT_NAME).stat().st_nlink == 1


def test_an_empty_text_is_a_text(done, disk):
    atomic.publish(done, TEXT_NAME, b"", disk=disk)
    assert tree(done) == {TEXT_NAME: b""}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_text_has_the_rights_it_was_given_whatever_the_umask(done, umask):
    before = os.umask(umask)
    try:
        atomic.publish(done, "scan.md", b"text\n", rights=Rights(0o664))
        atomic.publish(done, "other.md", b"text\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE((done / "scan.md").stat().st_mode) == 0o664
    assert stat.S_IMODE((done / "other.md").stat().st_mode) == 0o640


@pytest.mark.parametrize("bait", ["file", "empty file", "folder", "link", "dangling link", "fifo"])
def test_whatever_has_the_name_already_stays_as_it_is(tmp_path, inbox, done, road, bait):
    lay(bait, done / TEXT_NAME, tmp_path)
    lay(bait, done / NAME, tmp_path)
    before = tree(tmp_path)
    with pytest.raises(FileExistsError):
        atomic.publish(done, TEXT_NAME, b"text\n", disk=road)
    with pytest.raises(FileExistsError):
        move(inbox, done, road)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("bait", ["folder", "link", "dangling link", "fifo"])
def test_what_is_no_regular_file_holds_nothing_and_is_not_opened(tmp_path, done, bait):
    lay(bait, done / "scan.md", tmp_path)
    before = tree(tmp_path)
    assert not atomic.holds(done, "scan.md", digest(b"not yours"))
    atomic.retract(done, "scan.md", digest(b"not yours"))
    assert tree(tmp_path) == before


def test_a_name_holds_exactly_its_content(done):
    (done / "scan.md").write_bytes(b"text\n")
    assert atomic.holds(done, "scan.md", digest(b"text\n"))
    assert not atomic.holds(done, "scan.md", digest(b"text"))
    assert not atomic.holds(done, "other.md", digest(b"text\n"))


def test_only_a_text_with_our_content_is_retracted(done, disk):
    (done / "ours.md").write_bytes(b"ours")
    (done / "edited.md").write_bytes(b"edited since")
    for name in ("ours.md", "edited.md", "absent.md"):
        atomic.retract(done, name, digest(b"ours"), disk=disk)
    assert tree(done) == {"edited.md": b"edited since"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b.md", "/etc/passwd", "a\0b"])
def test_a_name_that_is_no_name_is_refused_before_anything_is_done(tmp_path, inbox, done, name):
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="not the name"):
        atomic.publish(done, name, b"text\n")
    with pytest.raises(ValueError, match="not the name"):
        move(inbox, done, Quick(), to=name)
    assert tree(tmp_path) == before
