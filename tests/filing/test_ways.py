"""Ways to the folders that scans are filed to: strangers who may write on the way cannot lead them elsewhere."""

import os

import pytest

from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic
from dropscribe.filing.rights import Rights
from dropscribe.values import Fingerprint
from tests.filing.disks import Meddled, Quick
from tests.filing.trees import DIGEST, digest, tree
from tests.intake.rights import NOBODY, only_as_root

TEXT = b"text\n"


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "kept.md").write_bytes(TEXT)
    return folder


def link(path, target, owner=NOBODY):
    path.symlink_to(target)
    os.chown(path, owner, -1, follow_symlinks=False)


def ways(inbox, done):
    """Everything that filing does with a folder, each as a call."""
    where = atomic.inside(done, inbox)
    expected = Fingerprint.of((inbox / "scan.png").stat())
    return {
        "publish": lambda: atomic.publish(where, "x.md", TEXT),
        "holds": lambda: atomic.holds(where, "kept.md", digest(TEXT)),
        "retract": lambda: atomic.retract(where, "kept.md", digest(TEXT)),
        "move": lambda: atomic.move(inbox, "scan.png", expected, where, "scan.png", DIGEST),
        "make_folder": lambda: atomic.make_folder(done / "sub", below=where, rights=Rights()),
        "probe": lambda: atomic.probe(where),
        "sweep": lambda: atomic.sweep(where),
        "free_space": lambda: atomic.free_space(where),
    }


WAYS = ["publish", "holds", "retract", "move", "make_folder", "probe", "sweep", "free_space"]


@only_as_root
@pytest.mark.parametrize("what", WAYS)
@pytest.mark.parametrize("below", ["done", "done/2026"])
def test_a_link_that_a_stranger_put_in_the_place_of_a_folder_leads_nowhere(
    tmp_path, inbox, elsewhere, what, below
):
    (elsewhere / "2026").mkdir()
    link(inbox / "done", elsewhere)
    before = tree(tmp_path)
    with pytest.raises(WorldWrong, match="a link that another user made"):
        ways(inbox, inbox / below)[what]()
    assert tree(tmp_path) == before


@pytest.mark.parametrize("what", WAYS)
def test_a_link_of_ones_own_is_a_folder_like_any_other(inbox, elsewhere, what):
    (inbox / "done").symlink_to(elsewhere)
    ways(inbox, inbox / "done")[what]()
    text, scan = elsewhere / "x.md", elsewhere / "scan.png"
    assert (text.exists(), scan.exists()) == (what == "publish", what == "move")
    assert (elsewhere / "kept.md").exists() is (what != "retract")


@pytest.mark.parametrize("target", ["../elsewhere", "nowhere", "done", "scan.png"])
def test_whatever_the_link_of_ones_own_leads_to_is_a_folder_or_told(inbox, elsewhere, target):
    (inbox / "done").symlink_to(target)
    where = atomic.inside(inbox / "done", inbox)
    if target == "../elsewhere":
        atomic.publish(where, "x.md", TEXT)
        assert (elsewhere / "x.md").read_bytes() == TEXT
    else:
        with pytest.raises(WorldWrong, match="done: "):
            atomic.publish(where, "x.md", TEXT)


@only_as_root
def test_a_link_that_is_swapped_between_the_look_at_it_and_its_use_leads_nowhere(tmp_path, inbox, elsewhere):
    (tmp_path / "own").mkdir()
    (inbox / "done").symlink_to(tmp_path / "own")

    def swap():
        (inbox / "done").unlink()
        link(inbox / "done", elsewhere)

    before = tree(elsewhere)
    with pytest.raises(WorldWrong):
        atomic.publish(
            atomic.inside(inbox / "done", inbox), "x.md", TEXT, disk=Meddled(Quick(), read_link=swap)
        )
    assert tree(elsewhere) == before
    assert tree(tmp_path / "own") == {}


def test_a_folder_outside_is_reached_as_the_config_names_it(inbox, done, elsewhere):
    (done / "link").symlink_to(elsewhere)
    assert atomic.inside(done / "link", inbox) == done / "link"
    atomic.publish(atomic.inside(done / "link", inbox), "x.md", TEXT)
    assert (elsewhere / "x.md").read_bytes() == TEXT
