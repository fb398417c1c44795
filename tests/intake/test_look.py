import os
import socket
import stat
from pathlib import Path

import pytest

from dropscribe.errors import WorldWrong
from dropscribe.intake.look import DEEPEST, LISTED, LookRules, look
from dropscribe.values import Fingerprint
from tests.intake.rights import NOBODY, only_as_root, only_where_rights_count

STRANGE = [
    "new\nline.jpg", "\N{FACE WITH TEARS OF JOY}.png", os.fsdecode(b"\xff\xfe.png"), "x" * 251 + ".jpg",
    "-rf.jpg", "trailing. .jpg", "cafe\u0301.jpg", "café.jpg", 'quo"te.jpg', "SCAN",
]  # fmt: skip
EVERYTHING = LookRules(recursive=True)


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_a_look_sees_each_scan_with_its_fingerprint(tmp_path):
    put(tmp_path, "a.jpg", "b.TIFF")
    found = look(tmp_path, LookRules(), ())
    assert found.seen == {name: Fingerprint.of((tmp_path / name).stat()) for name in ("a.jpg", "b.TIFF")}
    assert found.folders == (tmp_path,)
    assert found.identity == (tmp_path.stat().st_dev, tmp_path.stat().st_ino)
    assert not found.ignored
    assert not found.unsupported
    assert not found.refused


def test_names_may_be_anything_a_disk_can_hold(tmp_path):
    put(tmp_path, *STRANGE)
    put(tmp_path / "folder\n\udcff", *STRANGE)
    seen = look(tmp_path, EVERYTHING, ()).seen
    assert seen.keys() == {*STRANGE, *(f"folder\n\udcff/{name}" for name in STRANGE)}


def test_a_settled_name_is_there_but_not_asked_again(tmp_path):
    put(tmp_path, "a.jpg", "sub/b.jpg", "c.jpg")
    seen = look(tmp_path, EVERYTHING, {"a.jpg", "sub/b.jpg", "gone.jpg"}).seen
    assert seen == {"a.jpg": None, "sub/b.jpg": None, "c.jpg": Fingerprint.of((tmp_path / "c.jpg").stat())}


def test_a_folder_in_an_inbox_that_is_not_recursive_is_told_of_unless_it_is_for_what_was_filed(tmp_path):
    put(
        tmp_path,
        "2026/a.jpg",
        "done/b.jpg",
        "texts/old/c.md",
        "@eaDir/d.jpg",
        ".hidden/e.jpg",
        "private/f.jpg",
    )
    (tmp_path / "away").mkdir()
    (tmp_path / "failed").symlink_to("away")
    skip = frozenset({tmp_path / "done", tmp_path / "texts" / "old", tmp_path / "failed"})
    found = look(tmp_path, LookRules(ignore=("private",), skip=skip), ())
    assert found.ignored == {"2026": "in a folder; set recursive: true to have it read"}
    assert not found.seen
    assert not found.refused


@only_as_root
def test_where_a_strangers_link_leads_is_not_asked(tmp_path):
    """It is told as a link, where one's own link to `done` is nothing to tell about."""
    (tmp_path / "done").mkdir()
    for name in ("own", "strange"):
        (tmp_path / name).symlink_to("done")
    os.chown(tmp_path / "strange", NOBODY, NOBODY, follow_symlinks=False)
    found = look(tmp_path, LookRules(skip=frozenset({tmp_path / "done"})), ())
    assert found.refused == {"strange": "it is a link; links are not read"}
    assert not found.seen


def test_what_is_left_alone_is_listed_with_its_reason(tmp_path):
    put(tmp_path, "a.jpg.part", "notes.txt", ".hidden.jpg", "b.png")
    found = look(tmp_path, LookRules(patterns=("*.jpg*", "*.txt"), ignore=("b*",)), ())
    assert not found.seen
    assert found.ignored == {
        "a.jpg.part": "still being transferred (*.part)",
        ".hidden.jpg": "hidden",
        "b.png": "ignored by the config (b*)",
    }
    assert found.unsupported == {"notes.txt": "*.txt is no format of scans; it is left where it is"}


def test_only_regular_files_are_scans_and_links_that_are_called_like_one(tmp_path):
    inbox, elsewhere = tmp_path / "in", tmp_path / "secret.jpg"
    inbox.mkdir()
    put(tmp_path, "secret.jpg")
    (inbox / "link.jpg").symlink_to(elsewhere)
    (inbox / "dangling.jpg").symlink_to("nowhere")
    (inbox / "loop.jpg").symlink_to("loop.jpg")
    (inbox / "letters of 2026").symlink_to(tmp_path)
    os.mkfifo(inbox / "pipe.jpg")
    (inbox / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(inbox / "socket.jpg"))
    found = look(inbox, LookRules(), ())
    links = {"link.jpg", "dangling.jpg", "loop.jpg"}
    assert found.seen == {name: Fingerprint.of((inbox / name).lstat()) for name in links}
    assert found.refused == {
        "letters of 2026": "it is a link; links are not read",
        "pipe.jpg": "it is a pipe, not a file",
        "socket.jpg": "it is a socket, not a file",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make devices")
def test_a_device_is_refused(tmp_path):
    try:
        os.mknod(tmp_path / "zero.jpg", stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no right to make devices in here")
    assert look(tmp_path, LookRules(), ()).refused == {"zero.jpg": "it is a device, not a file"}


def test_a_hard_link_is_a_scan(tmp_path):
    put(tmp_path, "one.jpg")
    os.link(tmp_path / "one.jpg", tmp_path / "two.jpg")
    assert look(tmp_path, LookRules(), ()).seen.keys() == {"one.jpg", "two.jpg"}


def test_subfolders_are_entered_only_when_asked(tmp_path):
    put(tmp_path, "a.jpg", "sub/b.jpg", "sub/deep/c.jpg")
    assert look(tmp_path, LookRules(), ()).seen.keys() == {"a.jpg"}
    found = look(tmp_path, EVERYTHING, ())
    assert found.seen.keys() == {"a.jpg", "sub/b.jpg", "sub/deep/c.jpg"}
    assert set(found.folders) == {tmp_path, tmp_path / "sub", tmp_path / "sub/deep"}


def test_a_folder_named_like_a_picture_is_a_folder(tmp_path):
    put(tmp_path, "album.jpg/a.jpg")
    assert look(tmp_path, EVERYTHING, ()).seen.keys() == {"album.jpg/a.jpg"}


def test_linked_folders_are_not_entered(tmp_path):
    inbox = tmp_path / "in"
    put(tmp_path, "elsewhere/a.jpg", "in/b.jpg")
    (inbox / "out").symlink_to(tmp_path / "elsewhere")
    (inbox / "up").symlink_to("..")
    found = look(inbox, EVERYTHING, ())
    assert found.seen.keys() == {"b.jpg"}
    assert found.folders == (inbox,)


def test_done_and_failed_are_never_entered_whatever_path_leads_to_them(tmp_path):
    put(tmp_path, "in/done/a.jpg", "in/failed/b.jpg", "in/c.jpg", "in/sub/done/d.jpg")
    alias = tmp_path / "alias"
    alias.symlink_to(tmp_path / "in")
    skip = frozenset({tmp_path / "in/done", alias / "failed", tmp_path / "missing"})
    found = look(tmp_path / "in", LookRules(recursive=True, skip=skip), ())
    assert found.seen.keys() == {"c.jpg", "sub/done/d.jpg"}
    assert set(found.folders) == {tmp_path / "in", tmp_path / "in/sub", tmp_path / "in/sub/done"}


def test_a_folder_can_be_marked_as_not_to_be_entered(tmp_path):
    put(tmp_path, "sub/.nowatch", "sub/a.jpg", "sub/deep/b.jpg", ".nowatch", "c.jpg")
    found = look(tmp_path, EVERYTHING, ())
    assert found.seen.keys() == {"c.jpg"}
    assert found.ignored["sub"] == "it holds a file named .nowatch"


def test_system_folders_are_not_entered(tmp_path):
    put(tmp_path, "@eaDir/a.jpg", ".stversions/b.jpg", "Private/c.jpg")
    found = look(tmp_path, LookRules(recursive=True, ignore=("private",)), ())
    assert not found.seen
    assert found.ignored == {
        "@eaDir": "in a system folder (@eaDir)",
        ".stversions": "in a hidden folder",
        "Private": "ignored by the config (private)",
    }


def test_bottomless_folders_have_a_bottom(tmp_path):
    chain = "/".join(["d"] * (DEEPEST + 2))
    put(tmp_path, f"{chain}/a.jpg")
    found = look(tmp_path, EVERYTHING, ())
    assert not found.seen
    assert found.refused == {"/".join(["d"] * (DEEPEST + 1)): f"more than {DEEPEST} folders deep"}


def test_a_flood_of_junk_is_counted_not_kept(tmp_path):
    put(tmp_path, *(f"{i}.txt" for i in range(LISTED + 30)), *(f"{i}.part" for i in range(LISTED + 12)))
    found = look(tmp_path, LookRules(), ())
    assert (len(found.unsupported), len(found.ignored), found.unlisted) == (LISTED, LISTED, 42)


def test_an_inbox_that_is_not_there_is_the_worlds_fault(tmp_path):
    with pytest.raises(WorldWrong, match="it does not exist"):
        look(tmp_path / "missing", LookRules(), ())


def test_an_inbox_that_is_a_file_is_the_worlds_fault(tmp_path):
    put(tmp_path, "file")
    with pytest.raises(WorldWrong, match="it is not a folder"):
        look(tmp_path / "file", LookRules(), ())


def test_an_inbox_may_be_named_through_a_link(tmp_path):
    put(tmp_path, "real/a.jpg")
    (tmp_path / "alias").symlink_to("real")
    assert look(tmp_path / "alias", LookRules(), ()).seen.keys() == {"a.jpg"}


@only_where_rights_count
def test_an_unreadable_inbox_is_the_worlds_fault_but_an_unreadable_subfolder_only_its_own(tmp_path):
    put(tmp_path, "in/a.jpg", "in/sub/b.jpg")
    (tmp_path / "in/sub").chmod(0)
    found = look(tmp_path / "in", EVERYTHING, ())
    assert found.seen.keys() == {"a.jpg"}
    assert found.refused == {"sub": "this folder cannot be read: permission denied"}
    (tmp_path / "in").chmod(0)
    with pytest.raises(WorldWrong, match="permission denied"):
        look(tmp_path / "in", EVERYTHING, ())
    (tmp_path / "in").chmod(0o700)
    (tmp_path / "in/sub").chmod(0o700)


class VanishesWhileListed:
    """A set of settled names that removes files while the look is between their listing and their stat."""

    def __init__(self, root):
        self.root = root

    def __contains__(self, name):
        (self.root / name).unlink()
        return False


def test_what_vanishes_during_the_look_was_simply_not_there(tmp_path):
    put(tmp_path, "a.jpg", "b.jpg")
    found = look(tmp_path, LookRules(), VanishesWhileListed(tmp_path))
    assert not found.seen
    assert not found.refused


class BecomesALink:
    """Replaces a folder by a link between its listing and its being entered."""

    def __init__(self, root, target):
        self.root, self.target = root, target

    def __contains__(self, name):
        if name == "sub":
            (self.root / "sub").rename(self.root / "moved.away")
            (self.root / "sub").symlink_to(self.target)
        return False


def test_a_folder_that_turns_into_a_link_during_the_look_is_not_followed(tmp_path):
    put(tmp_path, "elsewhere/secret.jpg", "in/sub/a.jpg")
    found = look(tmp_path / "in", EVERYTHING, BecomesALink(tmp_path / "in", tmp_path / "elsewhere"))
    assert not any("secret" in name for name in found.seen)


def open_descriptors():
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_looking_leaves_no_descriptor_open(tmp_path):
    put(tmp_path, "a/b/c.jpg", "d/.nowatch")
    before = open_descriptors()
    for _ in range(5):
        look(tmp_path, EVERYTHING, ())
    assert open_descriptors() == before
