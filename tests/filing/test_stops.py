"""Filing is stopped before each of its changes, or the power fails there, or an operation does."""

import errno
import itertools
import os
import tempfile
from pathlib import Path

import pytest

from dropscribe.errors import WorldWrong
from dropscribe.filing import atomic
from tests.filing.disks import ROADS, Fails, Forgetful, Killed, Lying, Quick, Stops
from tests.filing.trees import DIGEST, SCAN, World, seen, tree, visible

UNIQUE = {"filed_scan": "scan-0123456789ab.png", "filed_text": "scan-0123456789ab.md"}


@pytest.fixture(params=ROADS)
def case(request, tmp_path):
    """Fresh worlds on one kind of file system, and that kind of disk."""
    names = UNIQUE if "unique" in request.param else {}
    numbers = itertools.count()

    def world():
        home = tmp_path / str(next(numbers))
        return World(home / "inbox", home / "inbox-done", **names)

    return world, ROADS[request.param]


def stopped(world, disk):
    try:
        world.file(disk)
    except Killed:
        return True
    return False


def test_undisturbed_the_scan_and_its_text_are_filed_and_nothing_else_is_touched(case):
    new_world, new_disk = case
    world = new_world()
    world.file(new_disk())
    world.check_filed()


def test_stopped_before_any_change_nothing_is_half_and_the_next_run_finishes(case):
    new_world, new_disk = case
    for at in itertools.count():
        world = new_world()
        was_stopped = stopped(world, Stops(at, new_disk()))
        world.check_whole()
        world.file(new_disk())
        world.check_filed()
        if not was_stopped:
            break
    assert at >= 10


def test_stopped_again_while_recovering_it_is_still_finished_in_the_end(case):
    new_world, new_disk = case
    for first in itertools.count():
        for second in itertools.count():
            world = new_world()
            was_stopped = stopped(world, Stops(first, new_disk()))
            was_stopped_again = stopped(world, Stops(second, new_disk()))
            world.check_whole()
            world.file(new_disk())
            world.check_filed()
            if not was_stopped_again:
                break
        if not was_stopped:
            break


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES], ids=errno.errorcode.get
)
def test_any_operation_may_fail_and_the_world_is_wrong_but_nothing_lost(case, code, lasting):
    new_world, new_disk = case
    for at in itertools.count():
        world = new_world()
        disk = Fails(at, code, lasting=lasting, real=new_disk())
        try:
            world.file(disk)
        except WorldWrong:
            pass
        else:
            assert not disk.failed, f"{disk.failed} failed and nobody said so"
            break
        world.check_whole()
        world.file(new_disk())
        world.check_filed()
    assert at > 20


def test_a_failed_write_leaves_no_hidden_file_behind(case):
    new_world, new_disk = case
    for at in itertools.count():
        world = new_world()
        disk = Fails(at, errno.ENOSPC, real=new_disk())
        try:
            world.file(disk)
        except WorldWrong:
            if disk.failed != "unlink":
                assert tree(world.done) == visible(world.done)
                assert tree(world.inbox) == visible(world.inbox)
        else:
            break


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_what_failed_to_sync_is_never_synced_a_second_time_nor_shown(tmp_path, code):
    world = World(tmp_path / "inbox", tmp_path / "done")

    synced = []

    class Worn(Quick):
        def sync(self, fd):
            synced.append(os.fstat(fd).st_ino)
            raise OSError(code, os.strerror(code))

    with pytest.raises(WorldWrong):
        world.file(Worn())
    assert len(synced) == 1
    assert tree(world.done) == world.bait


# --- power cuts

CUT = ["rename", "link", "across", "across, link"]


def run(home, kind, ats, disk=Forgetful, **more):
    """A world whose texts have a folder of their own, after a start stopped at each of `ats`."""
    world = World(home / "inbox", home / "done", home / "texts")
    forgetful = disk(home / "stash", (world.inbox, world.done, world.texts), real=ROADS[kind](), **more)
    was_stopped = [stopped(world, Stops(at, forgetful)) for at in ats]
    return world, forgetful, was_stopped


def cuts(tmp_path, kind, disk=Forgetful, *, earlier=(), **more):
    """A world for each moment in which the power can fail, and for each way in which it can strike then."""
    homes = (tmp_path / str(number) for number in itertools.count())
    for at in itertools.count():
        _, forgetful, was_stopped = run(next(homes), kind, (*earlier, at), disk, **more)
        for outcome in forgetful.outcomes():
            world, forgetful, _ = run(next(homes), kind, (*earlier, at), disk, **more)
            forgetful.cut(outcome)
            yield world, was_stopped[-1]
        if not was_stopped[-1]:
            return


@pytest.mark.parametrize("kind", CUT)
def test_a_power_cut_loses_neither_scan_nor_text_and_the_next_run_finishes(tmp_path, kind):
    for world, was_stopped in cuts(tmp_path, kind):
        world.check_whole()
        if not was_stopped:
            world.check_filed()
        world.file(ROADS[kind]())
        world.check_filed()


@pytest.mark.parametrize("kind", CUT)
def test_a_power_cut_after_a_stop_and_a_restart_loses_nothing_either(tmp_path, kind):
    for earlier in range(30):
        for world, was_stopped in cuts(tmp_path / str(earlier), kind, earlier=(earlier,)):
            world.check_whole()
            if not was_stopped:
                world.check_filed()


@pytest.fixture
def unsynced(tmp_path):
    """A world in which the scan was copied to where it belongs, and nothing of that is safe from a power cut."""
    world, forgetful, _ = run(tmp_path, "across", ())
    folder = os.open(world.done, os.O_RDONLY)
    fd = forgetful.open_new(folder, ".dropscribe-0123456789ab.part")
    forgetful.write(fd, SCAN)
    forgetful.rename(folder, ".dropscribe-0123456789ab.part", folder, world.filed_scan)
    for each in (fd, folder):
        os.close(each)
    return world, forgetful


def test_what_a_name_is_said_to_hold_survives_a_power_cut(unsynced):
    world, forgetful = unsynced
    assert atomic.holds(world.done, world.filed_scan, DIGEST, disk=forgetful)
    forgetful.cut({})
    assert tree(world.done)[world.filed_scan] == SCAN


def test_a_scan_leaves_the_inbox_only_when_its_copy_survives_a_power_cut(unsynced):
    world, forgetful = unsynced
    road = (world.inbox, world.scan, seen(world.source), world.done, world.filed_scan, DIGEST)
    atomic.remove_source(*road, disk=forgetful)
    forgetful.cut({})
    assert tree(world.inbox) == {}
    assert tree(world.done)[world.filed_scan] == SCAN


def test_a_scan_that_was_linked_leaves_the_inbox_only_when_that_survives_a_power_cut(tmp_path):
    world, forgetful, _ = run(tmp_path, "link", ())
    before = seen(world.source)
    inbox, done = (os.open(folder, os.O_RDONLY) for folder in (world.inbox, world.done))
    forgetful.link(inbox, world.scan, done, world.filed_scan)
    for each in (inbox, done):
        os.close(each)
    atomic.move(world.inbox, world.scan, before, world.done, world.filed_scan, DIGEST, disk=forgetful)
    forgetful.cut({})
    assert tree(world.inbox) == {}
    assert tree(world.done)[world.filed_scan] == SCAN


@pytest.mark.parametrize("about", ["content", "names"])
@pytest.mark.parametrize("kind", CUT)
def test_these_power_cuts_do_strike_where_nothing_is_synced(tmp_path, kind, about):
    def harmed(world):
        try:
            world.check_whole()
        except AssertionError:
            return True
        return False

    assert any(harmed(world) for world, _ in cuts(tmp_path, kind, Lying, about=about))


# --- two real file systems


@pytest.fixture
def elsewhere(tmp_path):
    memory = Path("/dev/shm")  # noqa: S108 - a second file system is the point
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_between_two_real_file_systems_every_stop_is_recovered_from(tmp_path, elsewhere):
    for at in itertools.count():
        world = World(tmp_path / str(at), elsewhere / str(at))
        was_stopped = stopped(world, Stops(at, Quick()))
        world.check_whole()
        world.file(Quick())
        world.check_filed()
        if not was_stopped:
            break
    assert at > 15
