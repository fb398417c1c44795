import threading

import pytest

from dropscribe.errors import Stopped
from dropscribe.stop import Stop


def test_whoever_waits_is_woken():
    stop, woken = Stop(), threading.Event()
    waiter = threading.Thread(target=lambda: stop.wait(60) and woken.set())
    waiter.start()
    stop.set()
    waiter.join(5)
    assert woken.is_set()


def test_listeners_are_told_once_they_listen_and_no_longer_afterwards():
    stop, told = Stop(), []
    with stop.calls(lambda: told.append("during")):
        stop.set()
    with stop.calls(lambda: told.append("late")):
        pass
    stop.set()
    assert told == ["during", "late"]


def test_check_raises_only_after_a_stop():
    stop = Stop()
    stop.check()
    stop.set()
    with pytest.raises(Stopped):
        stop.check()
