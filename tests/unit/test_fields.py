"""Fields of answers by their dotted names."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.fields import columns, in_words, value_at, way_to

TEXT = {"type": ["string", "null"]}
RECEIPT = {
    "type": "object",
    "$defs": {"place": {"type": "object", "properties": {"city": TEXT, "street": TEXT}}},
    "properties": {
        "vendor": TEXT,
        "seller": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/place"}]},
        "tags": {"type": "array", "items": TEXT},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"what": TEXT, "prices": {"type": "array", "items": TEXT}},
            },
        },
        "a.b": TEXT,
    },
}


def test_objects_are_gone_into_and_lists_are_one_column():
    assert columns(RECEIPT) == {
        "vendor": ("vendor",),
        "seller.city": ("seller", "city"),
        "seller.street": ("seller", "street"),
        "tags": ("tags",),
        "items": ("items",),
        "a.b": ("a.b",),
    }


@pytest.mark.parametrize(
    "schema", [{}, {"type": "array"}, {"type": "string"}, {"$ref": "#/nowhere"}, {"$ref": "#"}]
)
def test_a_schema_that_names_nothing_has_no_columns(schema):
    assert columns(schema) == {}


def test_a_schema_that_holds_itself_has_an_end():
    schema = {"properties": {"name": TEXT, "parent": {"$ref": "#"}}}
    assert "parent.name" in columns(schema)
    assert way_to(schema, ".".join(["parent"] * 200)) is None


def test_a_schema_that_holds_itself_many_times_has_few_columns():
    """Each of these in each of these, eight deep, would be a hundred million."""
    kin = {f"kin{number}": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/person"}]} for number in range(10)}
    person = {"properties": {"name": TEXT, **kin}}
    schema = {"$defs": {"person": person}, "properties": {"owner": {"$ref": "#/$defs/person"}}}
    assert list(columns(schema)) == [f"owner.{name}" for name in person["properties"]]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("vendor", ("vendor",)),
        ("seller.city", ("seller", "city")),
        ("tags", ("tags",)),
        ("tags.0", ("tags", 0)),
        ("items.12.what", ("items", 12, "what")),
        ("items.0.prices.1", ("items", 0, "prices", 1)),
        ("a.b", ("a.b",)),
        ("seller", None),
        ("items", None),
        ("items.0", None),
        ("items.x.what", None),
        ("items.99999.what", None),
        ("vendor.city", None),
        ("", None),
        (".", None),
        ("nobody", None),
    ],
)
def test_a_name_leads_to_one_value_or_nowhere(name, way):
    assert way_to(RECEIPT, name) == way


def test_of_many_pages_the_first_that_tells_a_value_counts():
    pages = [{"vendor": None, "tags": []}, {"vendor": "Rewe", "tags": ["a", "b"]}, {"vendor": "Aldi"}]
    assert value_at(pages, ("vendor",)) == "Rewe"
    assert value_at(pages, ("tags", 1)) == "b"
    assert value_at(pages, ("tags", 7)) is None
    assert value_at([], ("vendor",)) is None
    assert value_at([{"paid": False}, {"paid": True}], ("paid",)) is False
    assert value_at([{"total": 0}, {"total": 5}], ("total",)) == 0


@pytest.mark.parametrize("empty", ["", [], {}])
def test_what_is_empty_stays_so_where_no_page_tells_more(empty):
    assert value_at([{"note": None}, {"note": empty}, {"note": None}], ("note",)) == empty
    assert value_at([{"note": empty}, {"note": "x"}], ("note",)) == "x"
    assert in_words(empty) == ""


def test_values_become_words():
    values = [None, "Müller", 12.5, 3, True, ["a", None, 2], [{"a": 1}], {"b": [1]}]
    assert list(map(in_words, values)) == [
        "", "Müller", "12.5", "3", "true", "a, , 2", '[{"a": 1}]', '{"b": [1]}',
    ]  # fmt: skip


_NAMES = st.sampled_from(["a", "b", "a.b", "0"])
_SCHEMAS = st.recursive(
    st.sampled_from([TEXT, {}, {"$ref": "#"}, {"type": 5}, {"items": True}, {"properties": []}, True]),
    lambda inner: (
        st.fixed_dictionaries({"properties": st.dictionaries(_NAMES, inner, max_size=3)})
        | st.fixed_dictionaries({"items": inner})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, max_size=2)})
    ),
    max_leaves=6,
)
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(_SCHEMAS, _VALUES)
def test_no_schema_and_no_answer_breaks_anything(schema, answer):
    for name, way in columns(schema if isinstance(schema, dict) else {}).items():
        assert name
        assert isinstance(in_words(value_at([answer], way)), str)
        json.dumps(value_at([answer], way))
