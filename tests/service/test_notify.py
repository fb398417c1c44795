"""What the daemon tells a service manager, heard by one that keeps to the same rules as systemd."""

import os

import pytest

from dropscribe.service.notify import Manager, headline, manager_in
from dropscribe.status import InboxStatus, Status
from tests.e2e.harness import until
from tests.service.manager import StandinManager

pytestmark = pytest.mark.skipif(
    os.uname().sysname != "Linux", reason="names of sockets as systemd gives them"
)


def a_status(*inboxes):
    return Status(0.0, 1, 0.0, "1", inboxes)


def an_inbox(parked="", **counts):
    return InboxStatus("in", "/in", "ollama", counts, 0, 0, 0, 0, parked)


def test_the_line_names_what_there_is():
    assert headline(a_status(an_inbox(waiting=0, reading=0))) == "1 inbox"
    busy = a_status(an_inbox(waiting=1200, reading=1), an_inbox(waiting=3, arriving=2), an_inbox("away"))
    assert headline(busy) == "3 inboxes, 2 arriving, 1,203 waiting, 1 reading, 1 parked"


def told(*turns, patience=120.0):
    """What a manager hears of turns at these times, and how long each may sleep."""
    with StandinManager() as standin:
        manager = Manager(standin.address, patience)
        sleeps = [manager.turned(a_status(an_inbox(waiting=waiting)), now) for now, waiting in turns]
        until(lambda: standin.signs_of_life() >= 1, "a sign of life")
        manager.stopping(30.0)
        until(lambda: "STOPPING=1" in standin.words, "the word that it stops")
        return standin.said, sleeps


def test_the_first_turn_makes_ready_and_each_further_one_is_a_sign_of_life():
    said, sleeps = told((1000.0, 1), (1060.0, 1), (1120.0, 2))
    assert said == [
        ["READY=1", "STATUS=1 inbox, 1 waiting", "WATCHDOG=1"],
        ["WATCHDOG=1"],
        ["STATUS=1 inbox, 2 waiting", "WATCHDOG=1"],
        ["STOPPING=1", "STATUS=putting down what is in hand", "EXTEND_TIMEOUT_USEC=30000000"],
    ]
    assert sleeps == [60.0, 60.0, 60.0]


def test_turns_in_quick_succession_are_not_all_told_of_and_never_leave_a_gap():
    said, sleeps = told((0.0, 1), (3.0, 1), (5.0, 1), (6.0, 1), (9.0, 1))
    assert [message for message in said if "WATCHDOG=1" in message][1:] == [["WATCHDOG=1"]]
    assert sleeps == [60.0, 57.0, 55.0, 60.0, 57.0]


def test_without_a_watchdog_nothing_has_to_wake_up_for_it():
    with StandinManager() as standin:
        assert Manager(standin.address).turned(a_status(), 5.0) == float("inf")
    assert Manager().turned(a_status(), 5.0) == float("inf")


def test_what_systemd_has_set_is_meant_for_one_process_and_its_children_do_not_see_it():
    def patience(**variables):
        environment = {"NOTIFY_SOCKET": "/run/x", **variables, "PATH": "/bin"}
        sleep = manager_in(environment, 17).turned(a_status(), 0.0)
        assert environment == {"PATH": "/bin"}
        return sleep

    assert patience(WATCHDOG_USEC="6000000", WATCHDOG_PID="17") == 3.0
    assert patience(WATCHDOG_USEC="6000000") == 3.0
    assert patience(WATCHDOG_USEC="6000000", WATCHDOG_PID="18") == float("inf")
    assert patience(WATCHDOG_USEC="soon") == float("inf")
    assert patience(NOTIFY_SOCKET="vsock:2:3", WATCHDOG_USEC="6000000") == float("inf")


def test_a_manager_that_does_not_listen_stops_nothing(tmp_path):
    manager = Manager(str(tmp_path / "nobody"), 60.0)
    assert manager.turned(a_status(), 0.0) == 30.0
    manager.stopping(1.0)
