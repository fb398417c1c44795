import itertools
import random
import string
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dropscribe.reading.join import joined

WORDS = st.text(string.ascii_lowercase, min_size=3, max_size=9)
LINES = st.lists(WORDS, min_size=4, max_size=8).map(" ".join)
TEXTS = st.lists(st.one_of(st.just(""), LINES), min_size=1, max_size=40)

# Lines of a page no two of which are alike.
PAGE = [
    "Municipal Water Works of Lower Falls",
    "",
    "Statement for the third quarter",
    "Customer 40-1187, Anna Breeze",
    "Meter reading at the start: 1,204 m³",
    "Meter reading at the end: 1,251 m³",
    "",
    "You used 47 cubic metres.",
    "That is a little less than last year, thank you.",
    "Price of each cubic metre 1.90",
    "Standing charge, three months 12.00",
    "To pay by 31 October 101.30",
    "",
    "Questions? Call 555 0199 on weekdays",
    "The office is closed on Friday afternoons.",
]


@given(TEXTS, st.lists(st.integers(0, 40), max_size=7))
def test_a_text_cut_between_lines_comes_back(lines, cuts):
    borders = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    parts = ["".join(f"{line}\n" for line in lines[a:b]) for a, b in pairwise(borders) if a < b]
    assume(all(part.strip() for part in parts))
    assert joined(parts, [False] * (len(parts) - 1)) == "\n".join(lines)


@given(st.lists(TEXTS.map("\n".join), max_size=5), st.data())
def test_no_word_is_glued_or_lost_where_nothing_overlaps(parts, data):
    parts = data.draw(st.permutations(parts))
    text = joined(parts, [False] * max(0, len(parts) - 1))
    assert text.split() == " ".join(parts).split()


@settings(deadline=None)
@given(st.integers(1, 14), st.integers(1, 6))
def test_lines_that_two_bands_read_are_kept_once(cut, shared):
    above, below = PAGE[: cut + shared], PAGE[cut:]
    assume(any(PAGE[cut : cut + shared]))
    assert joined(["\n".join(above), "\n".join(below)], [True]) == "\n".join(PAGE)


def misread(line, seed):
    """`line` with one letter in twelve read as another."""
    chance = random.Random(f"{seed} {line}")
    return "".join(
        chance.choice(string.ascii_lowercase) if c.isalpha() and chance.random() < 1 / 12 else c for c in line
    )


def misread_by_the_second(cut, shared, seed):
    """What two bands are joined to whose second one misreads its lines, and what it should be around the overlap."""
    above, below = PAGE[: cut + shared], [misread(line, seed) for line in PAGE[cut:]]
    text = joined(["\n".join(above), "\n".join(below)], [True]).split("\n")
    return text, PAGE[:cut], [misread(line, seed) for line in PAGE[cut + shared :]]


@settings(deadline=None)
@given(st.integers(1, 14), st.integers(2, 5), st.integers(0, 1000))
def test_of_lines_that_two_bands_read_differently_none_is_lost(cut, shared, seed):
    assume(any(PAGE[cut : cut + shared]))
    text, before, after = misread_by_the_second(cut, shared, seed)
    assert len(text) >= len(PAGE)
    assert text[:cut] == before
    assert after == text[len(text) - len(after) :]


def test_lines_that_two_bands_read_differently_are_kept_once():
    tried = [
        (cut, shared, seed)
        for cut, shared, seed in itertools.product(range(1, 15), range(2, 6), range(0, 1000, 45))
        if any(PAGE[cut : cut + shared])
    ]
    twice = [each for each in tried if len(misread_by_the_second(*each)[0]) != len(PAGE)]
    # Too many letters of two short lines in a row may be misread: then they stay twice.
    assert len(twice) <= len(tried) / 500, twice


@settings(deadline=None)
@given(TEXTS.map("\n".join), TEXTS.map("\n".join))
def test_strangers_are_kept_whole_even_if_they_should_overlap(above, below):
    above, below = above.upper(), " ".join(f"<{word}9876543>" for word in below.split())
    assert joined([above, below], [True]).split() == f"{above} {below}".split()


def test_a_line_that_is_twice_on_the_page_stays_twice_where_bands_do_not_overlap():
    assert joined(["Total 5.00\nPaid", "Paid\nChange 0.00"], [False]) == "Total 5.00\nPaid\nPaid\nChange 0.00"


def test_of_a_line_cut_in_half_the_whole_one_is_kept():
    above = (
        "Dear Anna,\nthe boiler works again since noon.\nPlease send me the invoice\nPluuse cull mu boforo"
    )
    below = "Fleese sond rne tne invoico\nPlease call me before\nFriday, I am away then.\nYours, Tom"
    assert joined([above, below], [True]).split("\n")[-4:] == [
        "Please send me the invoice",
        "Please call me before",
        "Friday, I am away then.",
        "Yours, Tom",
    ]


def test_a_cut_line_beside_lines_that_both_have_is_dropped():
    above = "one more heading\nthe second line of it all\nand here a third one\nfourfh Iime is cul"
    below = "fhe seconcl Iine\nand here a third one\nfourth line is cut off\nthe end"
    assert joined([above, below], [True]) == (
        "one more heading\nthe second line of it all\nand here a third one\nfourth line is cut off\nthe end"
    )


def test_a_line_that_only_one_band_read_is_not_lost():
    above = "heading\nthe second line of it all\nPage 7"
    below = "stamp: RECEIVED\nthe second line of it all\nthe end"
    assert joined([above, below], [True]).split("\n") == [
        "heading",
        "stamp: RECEIVED",
        "the second line of it all",
        "Page 7",
        "the end",
    ]


def test_flowing_text_is_put_together_inside_its_line():
    above = "It was late when we came to the old mill and nobody had lit the lamps in the yrd ovr"
    below = "nobody had lit the lamps in the yard over there, so we waited.\nThen it rained."
    assert joined([above, below], [True]) == (
        "It was late when we came to the old mill and nobody had lit the lamps in the yard over there,"
        " so we waited.\nThen it rained."
    )


@pytest.mark.parametrize(
    ("below", "rest"),
    [
        ("| Tea | 2.00 |\n| --- | --- |\n| Jam | 3.00 |", "| Tea | 2.00 |\n| Jam | 3.00 |"),
        ("|  |  |\n|---|---|\n| Tea | 2.00 |", "| Tea | 2.00 |"),
        ("| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |", "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"),
    ],
)
def test_a_table_that_was_cut_goes_on_without_a_second_heading(below, rest):
    above = "| What | Price |\n|---|---|\n| Milk | 1.00 |"
    assert joined([above, below], [False]) == f"{above}\n{rest}"


def test_bands_without_text_add_nothing():
    assert joined(["", "a\n", " \n", "b\n", ""], [True, False, True, False]) == "a\nb"
    assert joined([], []) == ""


@pytest.mark.parametrize(
    "lines",
    [
        ["1 x Coffee   2.50"] * 40,
        [f"Item 40012345{n:04} piece 1 price 12.99" for n in range(40)],
        [f"2024-03-05 {8 + n // 60:02}:{n % 60:02} car park entry OK" for n in range(40)],
    ],
    ids=["all the same", "one digit", "times"],
)
@pytest.mark.parametrize("overlap", [1, 2, 4])
def test_rows_that_are_alike_are_never_lost(lines, overlap):
    bands = [lines[:20], lines[20 - overlap :]]
    text = joined(["\n".join(band) for band in bands], [0.1])
    assert not Counter(lines) - Counter(text.split("\n"))


def test_one_line_with_another_number_is_another_row():
    above = "Car park of the station\nCar park entry 8:01 OK"
    below = "Car park entry 8:02 OK\nCar park closed"
    assert joined([above, below], [True]) == f"{above}\n{below}"


def test_a_digit_that_was_misread_does_not_make_other_lines_of_the_same_ones():
    above = "Customer of the water works\nMeter at the end: 1,251 m³\nYou used less than last year."
    below = "Meter at the end: 1,257 m³\nYou used less than last year.\nThank you."
    assert joined([above, below], [True]).split("\n")[2:] == ["You used less than last year.", "Thank you."]


def test_two_lines_that_are_nearly_the_same_outweigh_one_that_is_quite_the_same():
    above = "with sugar\n2 Tea of\nof sugar"
    below = "2 Tea If\nof cugar\nwithIsugar\nof sugar\nof lugar"
    assert joined([above, below], [True]) == (
        "with sugar\n2 Tea of\nof cugar\nwithIsugar\nof sugar\nof lugar"
    )


def test_one_line_at_the_edge_outweighs_two_that_only_look_like_it():
    above = "Milk Tea\nlemon 2"
    below = "leeon 2\nMilk Tea\nMile Tea"
    assert joined([above, below], [True]) == "Milk Tea\nlemon 2\nMilk Tea\nMile Tea"
