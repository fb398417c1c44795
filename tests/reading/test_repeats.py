"""What a page may repeat, and what only a model repeats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.reading.repeats import LOOK_BACK, REPEATS, loops, runaway, surplus
from tests.reading.pages import HONEST, LETTER, honest_pages, real_pages, verdict

LINE = "01 Aug 2018 Clearing cheque 4987 36.07\n"
PARAGRAPH = LETTER.split("\n\n")[1] + "\n\n"


def cut_after(text):
    """The length at which a stream is cut that is looked at after each 64 characters, or None."""
    looks = range(64, len(text) + 64, 64)
    return next((end for end in looks if runaway(text[max(0, end - LOOK_BACK) : end])), None)


@pytest.mark.parametrize("page", [*honest_pages(), *real_pages()])
def test_no_beginning_of_an_honest_page_is_cut(page):
    assert not [end for end in range(1, len(page) + 1) if runaway(page[max(0, end - LOOK_BACK) : end])]


@pytest.mark.parametrize("page", [*honest_pages(), *real_pages()])
def test_an_honest_page_is_accepted(page):
    assert verdict(page).name == "accepted"


@pytest.mark.parametrize(
    ("unit", "within"),
    [
        ("INVOICE ", 600),
        (" INVOICE No #2047\n", 700),
        ("the cat sat ", 700),
        (LINE, 900),
        (PARAGRAPH, 1000),
        ("Ja Nein\n", 700),
        ("合計二百元整", 600),
        ("&nbsp;", 700),
        ("Max Mustermann\nHauptstr. 5\n12345 Berlin\n\n", 1500),
        (". ", 1000),
        ("0", 600),
        ("|  ", 1200),
        ("\n", 400),
        ("| | | |\n", 1500),
    ],
)
def test_what_goes_on_for_ever_is_cut(unit, within):
    assert cut_after(LETTER + unit * 10_000) - len(LETTER) <= within


def test_a_circle_of_five_hundred_characters_is_still_found():
    unit = "".join(f"Clause {number} of the agreement. " for number in range(18))[:500]
    assert cut_after(unit * 40) <= 2100


@pytest.mark.parametrize("unit", [LINE, PARAGRAPH, "and so on "])
def test_a_loop_that_the_model_left_again_is_refused(unit):
    page = LETTER + unit * 40 + LETTER
    assert verdict(page).name == "loop"


def test_a_long_passage_that_comes_back_between_others_is_refused():
    passage = LETTER.replace("\n", " ")
    page = "".join(
        f"{passage} Number {number} is new, and so are these {number * 7} words. " for number in range(12)
    )
    assert cut_after(page) is None
    assert surplus(page) > REPEATS
    assert verdict(page).name == "loop"


def test_with_repeats_at_one_nothing_is_a_loop():
    assert not loops(LINE * 400, 1)
    assert verdict(LINE * 400, repeats=1).name == "accepted"


def test_the_share_counts_only_what_stands_there_too_often():
    assert surplus(LETTER * 3) == 0
    assert surplus(LETTER * 6) == pytest.approx(0.5, abs=0.1)
    assert surplus(LETTER * 30) == pytest.approx(0.9, abs=0.02)


def test_a_sheet_of_twelve_labels_is_honest_and_more_of_the_same_are_a_loop():
    label = "Dr. Anna Weber, dentist, Mill Lane 3\n"
    assert surplus(label * 12) == 0
    assert surplus(LETTER + f"{label}\n" * 12) == 0
    assert surplus(label * 30) > REPEATS
    assert surplus(label.replace("\n", " ") * 12) > REPEATS


def test_zeros_and_dots_are_no_words():
    assert surplus("0 0.00 . | - __ 000 " * 500) == 0


@given(st.text(), st.floats(0, 1))
def test_any_text_can_be_measured(text, repeats):
    assert 0 <= surplus(text) <= 1
    assert isinstance(loops(text, repeats), bool)


@given(st.text(min_size=1, max_size=30), st.integers(1, 400))
def test_nothing_short_is_cut_whatever_it_repeats(unit, times):
    assert not runaway((unit * times)[:149])


@given(st.sampled_from(sorted(HONEST)), st.text(max_size=5), st.sampled_from(sorted(HONEST)))
def test_two_honest_pages_after_one_another_are_not_cut(one, between, other):
    text = f"{HONEST[one]}\n{between}\n{HONEST[other]}"
    assert one == other or not runaway(text[-LOOK_BACK:])
