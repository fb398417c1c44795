"""JSON of a model, up to what is made to break whoever reads it."""

import pytest

from dropscribe.filing import render
from dropscribe.reading.structured import judge_json
from dropscribe.values import Verdict


def judged(text, schema=None):
    return judge_json(Verdict("accepted", "it is a text", text), schema or {})


def lists(depth):
    return "[" * depth + "]" * depth


def objects(depth):
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("depth", [1, 99, 100])
def test_what_a_form_may_hold_is_accepted_and_can_be_written(nested, depth):
    verdict = judged(nested(depth))
    assert verdict.name == "accepted"
    (page,) = [render.PageText(1, verdict.text, "")]
    rules = render.RenderRules(format="json", schema=True)
    provenance = render.Provenance(scan="a.png", inbox="in", sha256="0" * 64, size=1)
    (output,) = render.render(render.Transcript((page,)), provenance, rules)
    assert output.suffix == ".json"


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("depth", [101, 500, 990, 3_000, 100_000])
def test_what_is_nested_beyond_reason_is_a_bad_answer_and_no_accident(nested, depth):
    verdict = judged(nested(depth))
    assert verdict.name == "schema"
    assert verdict.sentence.startswith("the model's answer ")
