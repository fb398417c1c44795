"""config.example.yaml is the defaults, all of them, and nothing else."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from dropscribe.cli.check import schema_text
from dropscribe.config import example, positions, schema
from dropscribe.config.load import from_text

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "config.example.yaml").read_text()
SHORTEST = "inboxes: [{path: ~/Scans/receipts}]\n"


def pairs(data, way=()):
    """Every key with its value, lists of sections walked into."""
    for name, value in data.items():
        yield (*way, name), value
        for inner in [value] if isinstance(value, dict) else value if isinstance(value, list) else []:
            if isinstance(inner, dict):
                yield from pairs(inner, (*way, name))


def keys(model, way=()):
    for name, field in schema.keys(model).items():
        yield (*way, name), field
        whole = name == "defaults" or (way and way[0] == "inboxes" and name == "options")
        if name in schema.inner(model) and not whole:
            yield from keys(schema.inner(model)[name], (*way, name))


def test_the_example_is_what_the_schema_says():
    assert example.full() == TEXT


def test_the_json_schema_for_editors_is_what_the_schema_says():
    assert (ROOT / "dropscribe.schema.json").read_text() == schema_text()


def test_an_editor_finds_nothing_wrong_with_the_example():
    Draft202012Validator.check_schema(json.loads(schema_text()))
    assert (
        list(Draft202012Validator(json.loads(schema_text())).iter_errors(positions.parse(TEXT, "f").data))
        == []
    )


def test_the_example_shows_each_key_once_with_its_default():
    shown = dict(pairs(positions.parse(TEXT, "config.example.yaml").data))
    known = dict(keys(schema.Top))
    assert set(shown) == set(known)
    for way, field in known.items():
        inner = schema.inner(schema.Top)
        if (
            field.is_required()
            or isinstance(shown[way], dict)
            or way == ("ollama", "hosts")
            or (way[0] in inner and not way[1:])
        ):
            continue
        assert shown[way] == field.default, way


def test_every_key_of_the_example_says_what_it_is_for():
    assert all(field.description for _, field in keys(schema.Top))


def test_the_example_configures_exactly_what_leaving_everything_out_does(tmp_path):
    file = tmp_path / "dropscribe.yaml"
    whole = from_text(TEXT, file, check_folders=False)
    assert whole == from_text(SHORTEST, file, check_folders=False)


def test_a_folder_with_any_name_can_be_written_into_the_short_one(tmp_path):
    for name in (
        "plain",
        "a b",
        "ä",
        "a: b",
        "#x",
        "$HOME",
        "it's",
        'a"b',
        "back\\slash",
        "a{b}",
        "new\nline",
    ):
        (tmp_path / name).mkdir()
        text = example.short(str(tmp_path / name)) + "    name: x\n"
        assert from_text(text, tmp_path / "f.yaml", {"HOME": "/"}).inboxes[0].path == tmp_path / name
