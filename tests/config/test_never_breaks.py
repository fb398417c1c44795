"""Whatever is in the file: a configuration comes out, or problems with places do."""

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dropscribe.config import schema
from dropscribe.config.load import build, from_text
from tests.config.folder import told
from tests.config.yamlish import CONFIGS, DATA, GOOD, YAMLISH


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    (folder / "in").mkdir()
    (folder / "other").mkdir()
    (folder / "s.json").write_text("{}")
    return folder


@settings(max_examples=200)
@given(text=YAMLISH | st.text())
def test_any_text_is_a_configuration_or_a_list_of_placed_problems(here, text):
    lines = text.removeprefix("\ufeff").split("\n")
    for problem in told(from_text, text, here / "f.yaml"):
        assert not set(problem) & set("\n\r\x1b\x00")
        problem.encode()
        found = re.match(rf"{re.escape(str(here))}/f\.yaml:(\d+):(\d+): ", problem)
        # an empty file has no place to point to
        assert found or "there is nothing in it" in problem
        if found:
            assert int(found[2]) <= len(lines[int(found[1]) - 1]) + 1


@settings(max_examples=200)
@given(data=st.dictionaries(st.text(max_size=3) | st.integers(), DATA) | CONFIGS)
def test_any_data_is_a_configuration_or_a_list_of_problems(here, data):
    assert all(problem.startswith("config: ") for problem in told(build, data, here))


VALIDATOR = Draft202012Validator(schema.json_schema())


@settings(max_examples=100)
@given(data=GOOD)
def test_what_the_program_accepts_an_editor_accepts_too(here, data):
    assert told(from_text, json.dumps(data), here / "f.yaml") == ()
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@given(name=st.sampled_from(sorted(schema.keys(schema.Inbox))), value=DATA)
@example(name="done", value="/")
def test_each_wrong_value_of_an_inbox_is_told_at_that_inbox(here, name, value):
    text = json.dumps({"inboxes": [{"path": "other"}, {"path": "in", name: value}]})
    problems = told(from_text, text, here / "f.yaml")
    assert all(": inboxes[1]" in problem or "not valid YAML" in problem for problem in problems)
