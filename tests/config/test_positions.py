"""Where things stand in YAML text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.config.positions import Spot, parse
from dropscribe.errors import ConfigError
from tests.config.yamlish import YAMLISH


def test_keys_and_values_are_found_where_an_editor_counts_them():
    document = parse("\ufeffa:\r\n  - b: ä\r\n    'c d': [1, x]\r\n", "f")
    assert document.data == {"a": [{"b": "ä", "c d": [1, "x"]}]}
    assert document.keys[("a", 0, "c d")] == Spot(3, 5)
    assert document.values[("a", 0, "c d", 1)] == Spot(3, 16)
    assert document.values[()] == Spot(1, 1)
    assert document.raw[("a", 0, "c d", 0)] == "1"


def test_only_what_everybody_takes_for_a_number_is_one():
    text = "[1:30, 1:30:00, 010, 0x_, 1_000, 0x1F, -5, 1.5, .inf, 2024-01-05, yes, NO, on, null, ~, '', '1', 1e3]"
    assert parse(text, "f").data == [
        "1:30", "1:30:00", "010", "0x_", 1000, 31, -5, 1.5, float("inf"), "2024-01-05", True, False, True, None,
        None, "", "1", "1e3",
    ]  # fmt: skip


def test_an_alias_stands_for_its_anchor_and_a_merge_key_gives_what_is_missing():
    document = parse("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: *a\nd: {<<: [*a, {z: 4}]}\n", "f")
    assert document.data == {
        "a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 1, "y": 2}, "d": {"x": 1, "y": 2, "z": 4},
    }  # fmt: skip
    assert document.problems == ()


def test_aliases_of_aliases_do_not_blow_up():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(ConfigError, match="too many values"):
        parse("\n".join(lines), "f")


@pytest.mark.parametrize("start", ["{x: 1}", "{}"])
def test_merges_of_merges_do_not_blow_up(start):
    lines = [f"m0: &m0 {start}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}]}}" for n in range(1, 31)]
    with pytest.raises(ConfigError, match="too many values"):
        parse("\n".join(lines), "f")


def test_a_key_given_twice_keeps_its_first_value():
    document = parse("a: 1\nb: 2\na: 3\n", "f")
    assert document.data == {"a": 1, "b": 2}
    assert document.problems == ((Spot(3, 1), ("a",), "given twice; the first is on line 1"),)


@pytest.mark.parametrize(
    "text", ["!!python/object:os.system {}", "!!python/name:os.system ''", "!x 1", "!!set {a}"]
)
def test_nothing_but_plain_data_comes_out(text):
    (problem,) = parse(f"a: {text}", "f").problems
    assert problem[2].startswith("the tag ")


@given(YAMLISH | st.text())
def test_every_spot_lies_in_the_text(text):
    try:
        document = parse(text, "f")
    except ConfigError as error:
        (line,) = error.problems
        spots = [Spot(*map(int, line.split(":")[1:3]))]
    else:
        spots = [
            *document.values.values(),
            *document.keys.values(),
            *(spot for spot, _, _ in document.problems),
        ]
    lines = text.removeprefix("\ufeff").split("\n")
    for spot in spots:
        assert 1 <= spot.line <= len(lines)
        assert 1 <= spot.column <= len(lines[spot.line - 1]) + 1
