"""With which rights texts, folders and copies are made, by the user who runs this and, as root, by another."""

import errno
import os
import stat

import pytest

from dropscribe.filing import atomic
from dropscribe.filing.rights import Rights, Wanted, folder_mode, rights
from tests.filing.disks import Across, Quick
from tests.filing.trees import NAME, SCAN, move
from tests.intake.rights import NOBODY, as_user, only_as_root

OURS, THEIRS = 54321, 54322  # groups: the one of the share, another one


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


class Forbidden(Quick):
    """Nothing may be given away: what a user meets who is no member of the group."""

    def set_owner(self, fd, user, group):
        raise PermissionError(errno.EPERM, "not yours to give")


class WithoutSetgid(Quick):
    """RestrictSUIDSGID= of systemd."""

    def set_mode(self, fd, mode):
        if mode & stat.S_ISGID:
            raise PermissionError(errno.EPERM, "no setgid here")
        super().set_mode(fd, mode)


# --- what is wanted


@pytest.mark.parametrize(
    ("inbox", "file", "folder"),
    [
        (0o755, 0o644, 0o755),
        (0o2775, 0o664, 0o775),
        (0o1777, 0o666, 0o777),
        (0o770, 0o660, 0o770),
        (0o700, 0o600, 0o700),
        (0o730, 0o620, 0o730),
        (0o555, 0o644, 0o755),
    ],
)
def test_by_default_who_may_use_the_inbox_may_use_what_is_filed(inbox, file, folder):
    assert rights(inbox, OURS, Wanted()) == Rights(file, folder, OURS, asked=False)


@pytest.mark.parametrize(
    ("file", "folder"),
    [(0o664, 0o775), (0o644, 0o755), (0o640, 0o750), (0o600, 0o700), (0o444, 0o755), (0o400, 0o700)],
)
def test_a_folder_has_the_rights_of_its_files_and_may_be_entered(file, folder):
    assert folder_mode(file) == folder
    assert rights(0o700, OURS, Wanted(file, THEIRS)) == Rights(file, folder, THEIRS, asked=True)


@pytest.mark.parametrize(
    ("given", "matters"),
    [
        (Rights(0o644, group=OURS), False),
        (Rights(0o666, group=OURS), False),
        (Rights(0o664, group=OURS), True),
        (Rights(0o640, group=OURS), True),
        (Rights(0o600, group=OURS), False),
        (Rights(0o600, group=OURS, asked=True), True),
    ],
)
def test_a_group_matters_where_it_has_rights_that_not_everybody_has(given, matters):
    assert given.group_matters is matters


# --- what is made


def test_a_text_and_its_folders_have_exactly_their_rights(done, umask):
    wanted = Rights(0o664, 0o775)
    atomic.make_folder(done / "a" / "b", below=done, rights=wanted)
    atomic.publish(done / "a" / "b", "x.md", b"text\n", rights=wanted)
    assert mode(done / "a" / "b" / "x.md") == 0o664
    assert [mode(done / "a"), mode(done / "a" / "b")] == [0o775, 0o775]


def test_a_folder_that_was_there_keeps_its_rights(done):
    (done / "a").mkdir(mode=0o711)
    atomic.make_folder(done / "a" / "b", below=done, rights=Rights(0o664, 0o775))
    assert [mode(done / "a"), mode(done / "a" / "b")] == [0o711, 0o775]


def test_a_folder_that_hands_on_its_group_does_so_from_folder_to_folder(done, umask):
    done.chmod(0o2775)
    atomic.make_folder(done / "a" / "b", below=done, rights=Rights(0o660, 0o770))
    assert [mode(done / "a"), mode(done / "a" / "b")] == [0o2770, 0o2770]


def test_where_the_setgid_bit_is_forbidden_the_rights_are_given_all_the_same(done):
    done.chmod(0o2775)
    before = os.umask(0o077)
    try:
        atomic.make_folder(done / "a", below=done, rights=Rights(0o660, 0o770), disk=WithoutSetgid())
    finally:
        os.umask(before)
    assert mode(done / "a") & 0o777 == 0o770


@only_as_root
def test_a_text_and_its_folders_belong_to_the_group_of_the_inbox(done):
    wanted = Rights(0o660, 0o770, OURS)
    atomic.make_folder(done / "a", below=done, rights=wanted)
    assert atomic.publish(done / "a", "x.md", b"text\n", rights=wanted)
    assert {path.stat().st_gid for path in (done / "a", done / "a" / "x.md")} == {OURS}


@only_as_root
@pytest.mark.parametrize(("asked", "group"), [(False, THEIRS), (True, OURS)])
def test_a_setgid_folder_gives_its_own_group_unless_the_config_names_one(done, asked, group):
    os.chown(done, -1, THEIRS)
    done.chmod(0o2770)
    wanted = Rights(0o660, 0o770, OURS, asked)
    atomic.make_folder(done / "a", below=done, rights=wanted)
    assert atomic.publish(done / "a", "x.md", b"text\n", rights=wanted)
    assert {path.stat().st_gid for path in (done / "a", done / "a" / "x.md")} == {group}
    assert mode(done / "a") == 0o2770


def test_a_group_that_cannot_be_given_costs_no_text_and_is_told(done):
    other = Rights(0o664, 0o775, OURS, asked=True)
    atomic.make_folder(done / "a", below=done, rights=other, disk=Forbidden())
    assert not atomic.publish(done / "a", "x.md", b"text\n", rights=other, disk=Forbidden())
    assert (done / "a" / "x.md").read_bytes() == b"text\n"
    assert [mode(done / "a"), mode(done / "a" / "x.md")] == [0o775, 0o664]
    assert len(list((done / "a").iterdir())) == 1


def test_a_group_that_is_right_already_is_not_asked_for(done):
    own = Rights(0o664, 0o775, done.stat().st_gid)
    assert atomic.publish(done, "x.md", b"text\n", rights=own, disk=Forbidden())


@only_as_root
def test_another_user_gives_its_own_groups_and_no_others(open_folder):
    done = open_folder / "done"
    done.mkdir()
    os.chown(done, NOBODY, OURS)
    with as_user(groups=[OURS, THEIRS]):
        assert atomic.publish(done, "ours.md", b"text\n", rights=Rights(0o660, group=THEIRS))
        assert not atomic.publish(done, "alien.md", b"text\n", rights=Rights(0o660, group=1))
    assert (done / "ours.md").stat().st_gid == THEIRS
    assert (done / "alien.md").read_bytes() == b"text\n"
    assert mode(done / "alien.md") == 0o660


# --- the scan itself


@only_as_root
def test_a_scan_that_is_copied_to_another_disk_keeps_its_rights_and_its_owner(inbox, done):
    os.chown(inbox / "scan.png", NOBODY, OURS)
    (inbox / "scan.png").chmod(0o640)
    move(inbox, done, Across())
    found = (done / NAME).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, OURS, 0o640)


@only_as_root
def test_a_scan_that_another_user_copies_keeps_its_rights_and_its_group(open_folder):
    inbox, done = open_folder / "inbox", open_folder / "done"
    for folder in (inbox, done):
        folder.mkdir()
        os.chown(folder, NOBODY, OURS)
    (inbox / "scan.png").write_bytes(SCAN)
    os.chown(inbox / "scan.png", 1234, OURS)
    (inbox / "scan.png").chmod(0o664)
    with as_user(groups=[NOBODY, OURS]):
        move(inbox, done, Across())
    found = (done / NAME).stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, OURS, 0o664)
