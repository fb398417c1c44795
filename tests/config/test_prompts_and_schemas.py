"""What the model is asked by default, and JSON schemas."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe import prompts
from dropscribe.jsonschemas import problem_with, problems
from dropscribe.reading.described import asks_for_text
from dropscribe.reading.families import FAMILIES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "$ref", "properties", "items", "enum", "required", "x"]), inner
        )
    ),
    max_leaves=8,
)
RECEIPT = {
    "type": "object",
    "properties": {
        "total": {"type": ["string", "null"]},
        "items": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["total", "items"],
    "additionalProperties": False,
}


def test_every_prompt_for_reading_offers_a_way_to_say_that_there_is_nothing():
    for name, prompt in prompts.PRESETS.items():
        assert prompts.NO_TEXT in prompt
        assert (prompts.ILLEGIBLE in prompt) == (name != "describe")
    assert "null" in prompts.FILL


def test_only_who_wants_a_description_gets_one():
    assert [name for name, prompt in prompts.PRESETS.items() if not asks_for_text(prompt)] == ["describe"]
    for family in FAMILIES:
        assert set(family.prompts) == set(prompts.PRESETS) - {"describe"}
        assert all(asks_for_text(prompt) for prompt in family.prompts.values())


def test_a_good_schema_has_no_problem():
    assert problem_with(RECEIPT) is None
    assert problem_with({"$defs": {"a": {"type": "string"}}, "$ref": "#/$defs/a"}) is None
    assert problem_with({"properties": {"$ref": {"type": "string"}}}) is None


@pytest.mark.parametrize("schema", [
    [], "x", None, {"type": "strnig"}, {"required": "x"}, {"pattern": "("}, {"$ref": "other.json"},
    {"items": [{"$ref": "http://example.com/s"}]},
])  # fmt: skip
def test_what_cannot_serve_as_a_schema_is_said_on_one_line(schema):
    said = problem_with(schema)
    assert said
    assert "\n" not in said


def test_deviations_are_told_in_plain_words():
    assert problems({"total": "5", "items": [1]}, RECEIPT) == []
    assert sorted(problems({"total": 5, "items": [1, "x"], "more": 1}, RECEIPT)) == [
        'items[1]: expected a whole number, got "x"',
        "the whole: Additional properties are not allowed ('more' was unexpected)",
        "total: expected text or nothing, got 5",
    ]
    assert problems({}, RECEIPT) == ["the whole: missing total, items"]
    assert problems([], RECEIPT) == ["the whole: expected keys and values, got a list"]


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"enum": ["EUR", "USD"]}, "euro", 'the whole: got "euro", expected one of "EUR", "USD"'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, "the whole: expected text or nothing, got 5"),
        (
            {"properties": {"a": {"oneOf": [{"type": "null"}, {"required": ["b"]}]}}},
            {"a": {"c": "long " * 100}},
            "a: missing b",
        ),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "number"}}}]},
            {"a": "x"},
            'a: expected a number, got "x"',
        ),
    ],
)
def test_of_several_forms_the_nearest_is_told(schema, value, said):
    assert problems(value, schema) == [said]


def test_a_schema_stands_below_the_prompt_unless_it_is_too_large_for_that():
    assert prompts.with_schema("Read.", None) == "Read."
    told = prompts.with_schema("Read.", RECEIPT)
    assert told.startswith("Read.\n\n")
    assert json.loads(told.rpartition("\n")[2]) == RECEIPT
    large = {"description": "x" * prompts.SCHEMA_ROOM}
    assert prompts.with_schema("Read.", large) == "Read."


def test_a_long_list_of_deviations_is_cut():
    assert len(problems({"total": None, "items": ["x"] * 100}, RECEIPT)) == 5


def test_a_schema_that_goes_round_in_circles_is_a_deviation_and_no_crash():
    assert problems(1, {"$ref": "#"})
    assert problems(1, {"$ref": "#/nowhere"})


@given(JSON, JSON)
def test_no_schema_and_no_value_breaks_the_check(schema, value):
    json.dumps(schema)
    if problem_with(schema) is None:
        assert all(isinstance(one, str) for one in problems(value, schema))
