import logging
import os
import resource
import shutil
import threading

import pytest
from watchdog.events import FileCreatedEvent, FileMovedEvent

from dropscribe.filing import atomic
from dropscribe.intake import canary
from dropscribe.intake.bell import MOST_FOLDERS, Bell
from dropscribe.values import Listened
from tests.intake.rights import only_where_rights_count

LONG = 20.0
"""Far more seconds than any event takes; a bell that must ring ends the wait long before."""

SHORT = 0.3
"""Seconds in which an event would certainly have come."""


@pytest.fixture
def bell():
    bell = Bell()
    yield bell
    bell.close()


@pytest.fixture
def inbox(bell, tmp_path):
    """A watched folder, the bell silent."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    assert bell.watch("in", [inbox]) is None
    hush(bell)
    return inbox


def hush(bell):
    while bell.wait(SHORT / 3):
        pass


def rings(bell):
    return bell.wait(LONG)


def stays_silent(bell):
    return not bell.wait(SHORT)


def test_a_rung_bell_ends_the_wait_and_is_silent_again(bell):
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_ringing_many_times_is_one_reason_to_look(bell):
    for _ in range(5):
        bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_another_thread_can_end_the_wait(bell):
    threading.Timer(0.01, bell.ring).start()
    assert bell.wait(LONG)


def test_a_nudge_ends_the_wait_but_is_no_reason_to_look_nor_hides_one(bell):
    threading.Timer(0.01, bell.nudge).start()
    assert not bell.wait(LONG)
    bell.ring()
    bell.nudge()
    assert bell.wait(LONG)
    assert not bell.wait(0)


def test_it_rings_when_it_begins_to_listen_so_that_what_came_before_is_looked_for(bell, tmp_path):
    bell.watch("in", [tmp_path])
    assert bell.wait(0)
    hush(bell)
    bell.watch("in", [tmp_path])
    assert stays_silent(bell)


def created(inbox, _elsewhere):
    (inbox / "a.jpg").write_bytes(b"x")


def moved_in(inbox, elsewhere):
    elsewhere.rename(inbox / "a.jpg")


def linked_in(inbox, elsewhere):
    os.link(elsewhere, inbox / "a.jpg")


def made_a_folder(inbox, _elsewhere):
    (inbox / "sub").mkdir()


@pytest.mark.parametrize("arrival", [created, moved_in, linked_in, made_a_folder])
def test_it_rings_for_each_way_to_arrive(bell, inbox, tmp_path, arrival):
    elsewhere = tmp_path / "b.jpg"
    elsewhere.write_bytes(b"x")
    arrival(inbox, elsewhere)
    assert rings(bell)


def test_it_rings_when_what_lies_there_changes_its_name_its_content_or_its_rights(bell, inbox):
    path = inbox / "a.jpg.part"
    with path.open("wb") as file:
        hush(bell)
        file.write(b"x")
        file.flush()
        assert rings(bell)
        hush(bell)
    assert rings(bell)
    hush(bell)
    path = path.rename(inbox / "a.jpg")
    assert rings(bell)
    hush(bell)
    path.chmod(0o400)
    assert rings(bell)


def test_looking_reading_and_filing_do_not_ring(bell, inbox, tmp_path):
    (inbox / "a.jpg").write_bytes(b"x")
    (inbox / "b.jpg").write_bytes(b"x")
    hush(bell)
    assert len([entry.stat() for entry in inbox.iterdir()]) == 2
    assert (inbox / "a.jpg").read_bytes() == b"x"
    fd = os.open(inbox / "a.jpg", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
    (inbox / "a.jpg").rename(tmp_path / "a.jpg")
    (inbox / "b.jpg").unlink()
    assert stays_silent(bell)


def test_what_leaves_does_not_hold_up_what_arrives_after_it(bell, inbox, tmp_path):
    """watchdog would, each time and for half a second; a busy machine does not five times in a row."""
    in_time = []
    for number in range(5):
        (inbox / "a.jpg").write_bytes(b"x")
        hush(bell)
        (inbox / "a.jpg").rename(tmp_path / f"{number}.jpg")
        (inbox / "b.jpg").touch()
        in_time.append(bell.wait(SHORT))
        hush(bell)
    assert any(in_time)


def test_strange_names_ring_like_others(bell, inbox):
    for name in ("new\nline.jpg", os.fsdecode(b"\xff\xfe.jpg"), "x" * 255):
        (inbox / name).write_bytes(b"x")
        assert rings(bell)
        hush(bell)


def test_a_new_subfolder_is_listened_to_after_the_next_look(bell, inbox):
    sub = inbox / "sub"
    sub.mkdir()
    assert rings(bell)
    assert bell.watch("in", [inbox, sub]) is None
    hush(bell)
    (sub / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_exactly_the_folders_asked_for_are_listened_to(bell, inbox, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (inbox / "sub").mkdir()
    bell.watch("other", [other])
    hush(bell)
    (inbox / "sub/a.jpg").write_bytes(b"x")
    assert stays_silent(bell)
    bell.watch("in", [])
    (inbox / "a.jpg").write_bytes(b"x")
    assert stays_silent(bell)
    (other / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_a_folder_two_inboxes_share_is_listened_to_until_neither_wants_it(bell, inbox):
    bell.watch("twin", [inbox])
    bell.watch("in", [])
    hush(bell)
    (inbox / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def removed(inbox):
    shutil.rmtree(inbox)


def moved_away(inbox):
    inbox.rename(inbox.with_name("moved"))


@pytest.mark.parametrize("loss", [removed, moved_away])
def test_an_inbox_that_vanished_and_came_back_is_listened_to_again(bell, inbox, loss):
    loss(inbox)
    hush(bell)
    assert bell.watch("in", [inbox]) == f"{inbox}: it does not exist"
    inbox.mkdir()
    assert bell.watch("in", [inbox]) is None
    assert bell.wait(0)
    hush(bell)
    (inbox / "a.jpg").write_bytes(b"x")
    assert rings(bell)


@pytest.mark.parametrize("loss", [removed, moved_away])
def test_an_inbox_that_was_replaced_between_two_looks_is_listened_to_again(bell, inbox, loss):
    loss(inbox)
    inbox.mkdir()
    hush(bell)
    assert bell.watch("in", [inbox]) is None
    hush(bell)
    (inbox / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_a_removed_inbox_rings_so_that_its_loss_is_noticed(bell, inbox):
    inbox.rmdir()
    assert rings(bell)


@pytest.mark.parametrize("part", ["InotifyFD", "_Observer", "_Emitter"])
def test_a_part_of_watchdog_that_died_is_replaced_at_the_next_look(bell, inbox, part):
    """Each of its threads can end alone, and nothing in watchdog notices."""
    threads = [thread for thread in threading.enumerate() if type(thread).__name__ == part]
    if not threads:
        pytest.skip("this system has another kind of events")
    for thread in threads:
        thread.stop()
        thread.join()
    assert bell.watch("in", [inbox]) is None
    hush(bell)
    (inbox / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_an_inbox_named_through_a_link_is_listened_to(bell, inbox, tmp_path):
    alias = tmp_path / "alias"
    alias.symlink_to(inbox)
    bell.watch("in", [alias])
    hush(bell)
    (alias / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_what_cannot_be_listened_to_is_told_and_the_rest_is_listened_to(bell, inbox, tmp_path):
    reason = bell.watch("in", [tmp_path / "missing", inbox])
    assert reason == f"{tmp_path / 'missing'}: it does not exist"
    (inbox / "a.jpg").write_bytes(b"x")
    assert rings(bell)


@only_where_rights_count
def test_an_unreadable_folder_is_told_and_listened_to_once_it_can_be_read(bell, inbox):
    bell.watch("in", [])
    inbox.chmod(0o300)
    assert bell.watch("in", [inbox]) == f"{inbox}: there is no permission to read it"
    inbox.chmod(0o700)
    assert bell.watch("in", [inbox]) is None


def test_a_limit_that_is_reached_is_told_with_what_to_raise_and_tried_again(bell, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        reason = bell.watch("in", [tmp_path])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "fs.inotify.max_user_instances" in reason
    assert bell.watch("in", [tmp_path]) is None
    hush(bell)
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert rings(bell)


def test_too_many_folders_are_told(bell, tmp_path):
    folders = [tmp_path / str(number) for number in range(MOST_FOLDERS + 1)]
    for folder in folders:
        folder.mkdir()
    assert bell.watch("in", folders[:-1]) is None
    assert f"no more than {MOST_FOLDERS} folders are watched" in bell.watch("in", folders)
    assert bell.watch("in", folders[1:]) is None


def test_an_overflow_of_the_kernels_queue_rings_even_where_warnings_are_not_logged(bell, inbox):
    """watchdog says it nowhere else: inotify_c.py, handle_event."""
    assert inbox.is_dir()
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.CRITICAL)
    try:
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
    finally:
        logging.getLogger().setLevel(before)
    assert bell.wait(0)
    assert bell.overflows() == 1
    assert bell.overflows() == 0


CANARY = f"{canary.PREFIX}0123456789ab.part"


def test_a_canary_is_heard_and_is_no_reason_to_look(bell, inbox):
    bell.expect(CANARY)
    atomic.make_and_remove(inbox, CANARY)
    assert stays_silent(bell)
    assert bell.has_heard(CANARY)
    assert list(inbox.iterdir()) == []


def test_what_else_arrives_neither_looks_like_a_canary_nor_is_hidden_by_one(bell, inbox):
    bell.expect(CANARY)
    for name in ("a.jpg", f"x{CANARY}", CANARY.upper(), CANARY[:-1]):
        (inbox / name).write_bytes(b"x")
    bell.wait(SHORT)
    hush(bell)
    assert not bell.has_heard(CANARY)
    bell.expect(CANARY)
    atomic.make_and_remove(inbox, CANARY)
    (inbox / "b.jpg").write_bytes(b"x")
    assert rings(bell)


def test_a_canary_that_becomes_a_scan_is_one(bell, inbox):
    (inbox / CANARY).write_bytes(b"x")
    assert stays_silent(bell)
    (inbox / CANARY).rename(inbox / "a.jpg")
    assert rings(bell)


def test_of_a_file_that_was_renamed_the_new_name_counts(bell):
    """Only macOS tells of both."""
    bell.wait(0)
    bell._handler.dispatch(FileMovedEvent(f"/in/{CANARY}", "/in/a.jpg"))
    assert bell.wait(0)
    bell._handler.dispatch(FileMovedEvent("/in/a.jpg", f"/in/{CANARY}"))
    assert not bell.wait(0)


def test_a_late_canary_is_no_reason_to_look_and_nothing_remembers_it(bell, inbox):
    bell.expect(CANARY)
    bell.forget(CANARY)
    atomic.make_and_remove(inbox, CANARY)
    assert stays_silent(bell)
    assert not bell.has_heard(CANARY)


def test_where_nobody_listens_a_canary_is_not_heard(bell, inbox, tmp_path):
    (tmp_path / "other").mkdir()
    bell.expect(CANARY)
    atomic.make_and_remove(tmp_path / "other", CANARY)
    bell.watch("in", [])
    atomic.make_and_remove(inbox, CANARY)
    assert stays_silent(bell)
    assert not bell.has_heard(CANARY)


@pytest.mark.parametrize("path", ["", "/", b"\xff/a", "\udcff", None, 7, object()])
def test_no_event_can_end_the_thread_that_hears_it(bell, path):
    handler = bell._handler
    bell.wait(0)
    handler.dispatch(FileCreatedEvent(path))
    assert bell.wait(0)


def test_each_device_is_listened_to_at_the_folder_nearest_to_the_root(bell, inbox):
    (inbox / "a").mkdir()
    bell.watch("in", [inbox / "a", inbox])
    assert bell.listened("in") == {inbox.stat().st_dev: Listened(inbox, inbox.stat().st_ino)}
    bell.watch("in", [inbox / "a"])
    assert bell.listened("in") == {inbox.stat().st_dev: Listened(inbox / "a", (inbox / "a").stat().st_ino)}
    assert bell.listened("other") == {}


def test_closing_leaves_no_thread_and_no_descriptor_behind(tmp_path):
    folders = [tmp_path / str(number) for number in range(MOST_FOLDERS)]
    for folder in folders:
        folder.mkdir()
    threads, descriptors = set(threading.enumerate()), os.listdir("/dev/fd")  # noqa: PTH208
    for _ in range(3):
        bell = Bell()
        assert bell.watch("in", folders) is None
        assert len(threading.enumerate()) > MOST_FOLDERS
        bell.watch("in", folders[:3])
        bell.close()
        bell.close()
    assert set(threading.enumerate()) == threads
    assert os.listdir("/dev/fd") == descriptors  # noqa: PTH208


def test_nothing_is_lost_between_waiting_and_looking(bell, inbox):
    """Whoever looks after each ring sees all there is, though files come at every moment."""
    number = 300
    seen: set[str] = set()

    def arrive():
        for count in range(number):
            (inbox / f"{count}.jpg").write_bytes(b"x")

    thread = threading.Thread(target=arrive)
    thread.start()
    while len(seen) < number and rings(bell):
        seen = {path.name for path in inbox.iterdir()}
    thread.join()
    assert len(seen) == number
