"""What every engine and every fake of one has to keep; `reading/engines/__init__.py` says it in words."""

import io
import threading
from abc import ABC, abstractmethod

import pytest

from dropscribe.errors import Misconfigured, Stopped
from dropscribe.reading.engines import ModelState
from dropscribe.stop import Stop
from dropscribe.values import Picture, Recipe, Size
from tests.standin import marks

OPTIONS = {"temperature": 0, "num_ctx": 8192, "num_predict": 512}


def picture(number=7, **how):
    image = marks.draw(number, **how)
    data = io.BytesIO()
    image.save(data, "PNG")
    return Picture(data.getvalue(), "PNG", *image.size)


def recipe(model="qwen3.5:4b", **changes):
    fields = {
        "engine": "any", "model": model, "prompt": "Read all text.\nChange nothing.",
        "options": OPTIONS, "size": Size(2_000_000, 1800),
    }  # fmt: skip
    return Recipe(**{**fields, **changes})


class EngineContract(ABC):
    """Subclasses say what there is to be asked."""

    model = "qwen3.5:4b"
    missing_model: str | None = "nobody:1b"

    @pytest.fixture
    @abstractmethod
    def engine(self):
        """A working engine, closed afterwards."""

    @pytest.fixture
    def stop(self):
        return Stop()

    @abstractmethod
    def words_of(self, number):
        """What must be among the words of the answer to `picture(number)`."""

    def test_answers_with_the_words_of_the_picture(self, engine, stop):
        for number in (7, 4711):
            answer = engine.ask(picture(number, words=f"Invoice {number}"), recipe(self.model), stop=stop)
            assert answer.done
            assert answer.done_reason == "stop"
            for word in self.words_of(number):
                assert word in answer.text.split()

    def test_says_who_answered(self, engine, stop):
        answer = engine.ask(picture(words="Invoice"), recipe(self.model), stop=stop)
        assert answer.model
        assert answer.model_digest
        assert answer.host == engine.host
        assert answer.seconds >= 0

    def test_check_tells_the_state_of_the_model_and_the_same_one_twice(self, engine, stop):
        state = engine.check(self.model, stop=stop)
        assert isinstance(state, ModelState)
        assert state == engine.check(self.model, stop=stop)
        assert state.version

    def test_a_model_that_is_not_there_is_misconfigured_and_the_fix_names_a_command(self, engine, stop):
        if self.missing_model is None:
            pytest.skip("this engine has one model only")
        with pytest.raises(Misconfigured) as refused:
            engine.check(self.missing_model, stop=stop)
        assert self.missing_model in refused.value.reason
        assert "`" in refused.value.fix
        with pytest.raises(Misconfigured):
            engine.ask(picture(), recipe(self.missing_model), stop=stop)

    def test_nothing_is_asked_after_a_stop(self, engine, stop):
        stop.set()
        with pytest.raises(Stopped):
            engine.ask(picture(), recipe(self.model), stop=stop)

    def test_goes_on_after_a_stop_of_another_request(self, engine):
        stopped = Stop()
        stopped.set()
        with pytest.raises(Stopped):
            engine.ask(picture(), recipe(self.model), stop=stopped)
        assert engine.ask(picture(words="Invoice"), recipe(self.model), stop=Stop()).done

    def test_leaves_no_thread_behind(self, engine, stop):
        engine.ask(picture(words="Invoice"), recipe(self.model), stop=stop)
        before = threading.active_count()
        engine.ask(picture(words="Invoice"), recipe(self.model), stop=stop)
        assert threading.active_count() == before
