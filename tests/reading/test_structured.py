"""JSON of a model, up to what is made to break whoever reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


RECEIPT = {
    "type": "object",
    "properties": {"vendor": {"type": ["string", "null"]}, "total": {"type": "number"}},
    "required": ["vendor", "total"],
}


def test_what_is_kept_is_normalised_in_the_order_of_the_answer():
    verdict = judged('{"total":12.50,\r\n"vendor":"M\\u00fcller \\ud83d\\ude00"}', RECEIPT)
    assert verdict.name == "accepted"
    assert verdict.text == '{\n  "total": 12.5,\n  "vendor": "Müller 😀"\n}\n'


def test_half_a_character_does_not_get_beyond_the_judgement():
    assert judged('{"a": "x\\ud800y"}').text == '{\n  "a": "x\ufffdy"\n}\n'


@pytest.mark.parametrize("number", ["0.1", "12.50", "1.10e2", "-0.0", "90071992547409.0e-3", "2.5E+3"])
def test_a_number_of_which_nothing_is_lost_is_kept(number):
    assert judged(f'{{"total": {number}}}').accepted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("{", "property name"),
        ('{"total": 1', "delimiter"),
        ('Here it is: {"total": 1}', "Expecting value"),
        ('{"total": NaN}', "NaN is no JSON"),
        ('{"total": -Infinity}', "-Infinity is no JSON"),
        ('{"total": 1e999}', "the number 1e999 is too large"),
        (
            '{"total": 123456789012345678.12}',
            "the number 123456789012345678.12 has more digits than can be kept",
        ),
        ('{"total": 1, "vendor": "a", "total": 2}', '"total" stands twice in one object'),
        (f'{{"total": {"9" * 4000}}}', "a number of 4,000 digits"),
        ('{"total": 1}{"total": 2}', "Extra data"),
    ],
)
def test_what_is_no_json_is_a_bad_answer_with_the_reason(text, said):
    verdict = judged(text)
    assert verdict.name == "schema"
    assert said in verdict.sentence
    assert verdict.text == text


def test_the_schema_itself_is_no_answer_even_where_it_would_follow_itself():
    loose = {"type": "object", "properties": {"vendor": {"type": "string"}}}
    assert judged(json.dumps(loose), loose).name == "echo"


def test_all_that_is_missing_is_told_at_once():
    verdict = judged('{"vendor": 5}', RECEIPT)
    assert verdict.name == "schema"
    assert "vendor: expected text or nothing, got 5" in verdict.sentence
    assert "the whole: missing total" in verdict.sentence


def test_what_a_model_wrote_stays_one_printable_line_in_the_sentence():
    schema = {"type": "object", "additionalProperties": False}
    verdict = judged('{"\\u001b[31m\\n\\u202e": 1}', schema)
    assert verdict.name == "schema"
    assert verdict.sentence.isprintable()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_normalising_keeps_every_value_and_changes_nothing_twice(value):
    anything = {"description": "whatever it is"}
    once = judged(json.dumps(value), anything).text
    assert json.loads(once) == value
    assert judged(once, anything).text == once
    assert once.endswith("\n")
    assert not once.endswith("\n\n")


@given(st.text())
def test_no_text_breaks_the_judgement(text):
    assert judged(text, RECEIPT).name in {"accepted", "schema", "echo"}
