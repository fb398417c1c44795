"""The values of a JSON answer, looked for in what a second engine read."""

import json

import pytest

from dropscribe.reading.crosscheck import Line
from dropscribe.reading.valuecheck import value_check

PAGE = [
    Line("Hardware Miller, 12 Station Road", 0.99),
    Line("Invoice 20931 of 14 March", 0.98),
    Line("Hinges 2 x 4,50          9,00", 0.97),
    Line("Total EUR 184.50", 0.99),
]


def check(page=PAGE, **values):
    return value_check(json.dumps(values), page)


@pytest.mark.parametrize(
    "values",
    [
        {"shop": "HARDWARE MILLER", "total": 184.5, "invoice": 20931},
        {"lines": [{"what": "Hinges", "sum": 9.00}], "currency": "EUR", "paid": True, "due": None},
        {"total": "184.50"},
        {"total": 184.0, "shop": "Hardware Miller\n12 Station Road"},
    ],
)
def test_values_that_stand_on_the_page_are_verified(values):
    assert check(**values).name == "verified"


@pytest.mark.parametrize(
    ("values", "unsupported", "numbers"),
    [
        ({"shop": "Carpenter Jones", "total": 184.5}, ("Carpenter Jones",), ()),
        ({"shop": "Hardware Miller", "total": 134.5}, (), ("134.5",)),
        ({"invoice": "20981"}, (), ("20981",)),
        ({"currency": "USD"}, ("USD",), ()),
    ],
)
def test_values_that_do_not_are_named(values, unsupported, numbers):
    found = check(**values)
    assert (found.name, found.unsupported, found.numbers) == ("check", unsupported, numbers)


def test_what_the_answer_leaves_out_is_nothing_to_be_checked():
    assert check(total=184.5).missing == ()


def test_without_values_there_is_nothing_to_say():
    assert check(total=None, lines=[]).name == "unverifiable"


def test_a_page_without_text_has_no_values():
    assert value_check("", PAGE).name == "unverifiable"


def test_an_engine_that_is_not_sure_vouches_for_nothing():
    assert check([Line("Hardware Miller", 0.85)], shop="Hardware Miller").name == "unverifiable"


def test_values_of_an_empty_page_are_invented():
    found = check([], shop="Hardware Miller", total=184.5)
    assert (found.name, found.unsupported, found.numbers) == ("check", ("Hardware Miller",), ("184.5",))
