"""What slots tell of a job, with the fake engine."""

import threading

from dropscribe.desk import Desk, Progress, Waiting
from dropscribe.errors import Misconfigured
from dropscribe.jobs import Job
from dropscribe.reading.engines import ModelState
from dropscribe.slots import Slots
from dropscribe.stop import Stop
from dropscribe.values import Fingerprint
from tests.engines.scripted import ScriptedEngine
from tests.folders import an_inbox


class Counting(ScriptedEngine):
    looks = 0

    def check(self, model, *, stop) -> ModelState:
        self.looks += 1
        return super().check(model, stop=stop)


def test_a_look_at_a_model_that_is_not_there_asks_once(tmp_path):
    inbox = an_inbox(tmp_path)
    engine, woken = Counting(models=()), threading.Event()
    desk = Desk(None, None, None, None, Progress(), tmp_path, Stop())
    slots = Slots({"host": [lambda: engine]}, desk, woken.set)
    nothing = Waiting(inbox, "", Fingerprint(0, 0, 0, 0, 0), young=True, local=True)
    slots.give(Job(nothing, "host", check=True))
    assert woken.wait(30)
    (result,) = slots.results()
    assert slots.close(30)
    assert isinstance(result.error, Misconfigured)
    assert engine.looks == 1
