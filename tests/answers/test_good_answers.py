"""Five hundred good answers, real ones and made ones: none is taken for a bad one, whatever is asked."""

import os

import pytest

from dropscribe.prompts import PRESETS
from dropscribe.reading.families import FAMILIES
from dropscribe.reading.judge import REPEATS, judge
from dropscribe.reading.repeats import LOOK_BACK, runaway
from dropscribe.values import Answer
from tests.answers.good import good_answers

SEED = int(os.environ.get("DROPSCRIBE_SEED", "1"))
PROMPTS = {
    **PRESETS,
    **{f"{family.name} {name}": text for family in FAMILIES for name, text in family.prompts.items()},
}


@pytest.fixture(scope="module")
def texts():
    found = good_answers(SEED)
    print(f"seed {SEED}: {len(found)} texts, {sum(name.startswith('real') for name in found)} of real scans")
    assert len(found) >= 500
    return found


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_no_good_answer_gives_a_false_alarm(texts, prompt):
    alarms = {}
    for name, text in texts.items():
        verdict = judge(Answer(text, done=True, done_reason="stop"), prompt=prompt, repeats=REPEATS)
        if verdict.name != "accepted":
            alarms[name] = verdict.sentence
    assert alarms == {}


def test_no_good_answer_loses_a_word(texts):
    for name, text in texts.items():
        verdict = judge(Answer(text, done=True, done_reason="stop"), prompt=PRESETS["plain"], repeats=REPEATS)
        assert verdict.text.split() == text.split(), name


def test_no_good_answer_is_cut_while_it_comes(texts):
    cut = []
    for name, text in texts.items():
        ends = range(64, len(text) + 64, 64)
        if any(runaway(text[max(0, end - LOOK_BACK) : end]) for end in ends):
            cut.append(name)
    assert cut == []
