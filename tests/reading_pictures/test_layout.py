import math
import random

from hypothesis import given
from hypothesis import strategies as st

from dropscribe.reading.engines.layout import CELL, Box, straightened, text_of


def lines(x, y, *texts, width=300, pitch=30, height=20):
    """One column of lines from the top left corner (x, y)."""
    return [Box(y + n * pitch, x, y + n * pitch + height, x + width, text) for n, text in enumerate(texts)]


LEFT = [f"left column line {n} of the tale" for n in range(8)]
RIGHT = [f"right column line {n} of the tale" for n in range(7)]
THIRD = [f"third column line {n} of the tale" for n in range(8)]


def words(*parts):
    return " ".join(" ".join(part) if isinstance(part, list) else part for part in parts).split()


def test_a_page_without_text_is_empty():
    assert text_of([]) == ""


def test_lines_come_from_top_to_bottom():
    boxes = lines(50, 50, "first", "second", "third")
    assert text_of(boxes[::-1]) == "first\nsecond\nthird"


def test_a_larger_step_down_begins_a_paragraph():
    boxes = [*lines(50, 50, "one", "two", "three", "four"), *lines(50, 215, "five", "six")]
    assert text_of(boxes) == "one\ntwo\nthree\nfour\n\nfive\nsix"


def test_wide_line_spacing_is_not_all_paragraphs():
    assert (
        text_of(lines(50, 50, "one", "two", "three", "four", "five", pitch=60))
        == "one\ntwo\nthree\nfour\nfive"
    )


def test_two_columns_come_one_after_the_other():
    boxes = [*lines(50, 100, *LEFT), *lines(400, 100, *RIGHT)]
    assert text_of(boxes) == "\n".join(LEFT) + "\n\n" + "\n".join(RIGHT)


def test_three_columns_whose_lines_do_not_meet_come_one_after_the_other():
    boxes = [*lines(50, 100, *LEFT), *lines(400, 109, *RIGHT), *lines(750, 94, *THIRD)]
    assert text_of(boxes).split() == words(LEFT, RIGHT, THIRD)


def test_what_stands_across_two_columns_comes_before_between_and_after_them():
    across = [
        Box(y, 50, y + 25, 700, text) for y, text in ((20, "The Title"), (400, "A Middle"), (780, "The End"))
    ]
    boxes = [
        *across,
        *lines(50, 100, *LEFT),
        *lines(400, 100, *RIGHT),
        *lines(50, 480, *RIGHT),
        *lines(400, 480, *LEFT),
    ]
    assert text_of(boxes).split() == words("The Title", LEFT, RIGHT, "A Middle", RIGHT, LEFT, "The End")


def test_a_heading_at_the_left_below_both_columns_comes_after_both():
    boxes = [*lines(50, 100, *LEFT), *lines(400, 100, *LEFT), *lines(50, 380, "What comes next")]
    assert text_of(boxes).split() == words(LEFT, LEFT, "What comes next")


def test_a_date_at_the_right_above_both_columns_comes_before_both():
    boxes = [*lines(50, 100, *LEFT), *lines(400, 100, *RIGHT), *lines(550, 20, "3 May 2026", width=150)]
    assert text_of(boxes).split() == words("3 May 2026", LEFT, RIGHT)


def test_the_rows_of_a_table_stay_whole():
    table = [
        ("Crop", "Beds", "Harvest"),
        ("Potatoes", "4", "61.5"),
        ("Onions", "2", "18.2"),
        ("Lettuce", "1", "7.4"),
    ]
    boxes = [
        Box(y, x, y + 20, x + 10 * len(cell), cell)
        for y, row in zip(range(0, 200, 40), table, strict=False)
        for x, cell in zip((0, 300, 500), row, strict=True)
    ]
    assert text_of(boxes) == "\n".join(CELL.join(row) for row in table)


def test_a_price_stays_in_the_line_of_its_article():
    articles = ["Two pots of Earl Grey tea", "One slice of carrot cake", "Three cinnamon buns to go"]
    boxes = [*lines(0, 0, *articles), *lines(500, 3, "7.80", "4.50", "8.70", width=60)]
    assert text_of(boxes).splitlines()[1] == "One slice of carrot cake  4.50"


def test_an_amount_column_with_long_figures_is_not_prose():
    names = ["A long description of it"] * 4
    amounts = ["1,234,567.00 2,345,678.00"] * 4
    assert (
        text_of([*lines(0, 0, *names), *lines(500, 0, *amounts)]).splitlines()[0]
        == names[0] + CELL + amounts[0]
    )


def test_pieces_of_one_line_are_joined_by_one_space_where_the_gap_is_small():
    assert text_of([Box(0, 0, 20, 100, "one"), Box(1, 108, 21, 200, "two")]) == "one two"


def _turned(box, angle):
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1))
    return tuple((x * cos - y * sin, x * sin + y * cos) for x, y in corners), box.text, box.confidence


@given(st.floats(-0.3, 0.3))
def test_a_page_laid_askew_reads_like_a_straight_one(angle):
    boxes = [
        Box(20, 50, 45, 700, "The Title"), *lines(50, 100, *LEFT), *lines(400, 100, *RIGHT),
        *lines(50, 400, *(f"Row {n}" for n in range(6)), width=80),
        *lines(600, 400, *(f"{n}.50" for n in range(6)), width=80),
    ]  # fmt: skip
    assert text_of(straightened(_turned(box, angle) for box in boxes)) == text_of(boxes)


def test_one_crooked_piece_does_not_turn_the_page():
    straight = [_turned(box, 0) for box in lines(50, 50, "one", "two", "three")]
    pieces = [*straight, _turned(Box(300, 50, 320, 400, "stamp"), 0.5)]
    assert [box.y0 for box in straightened(pieces)[:3]] == [50, 80, 110]


anywhere = st.floats(0, 1000, allow_nan=False)
sides = st.tuples(anywhere, anywhere).map(sorted)


@st.composite
def pages(draw):
    across = sides | st.sampled_from([(0.0, 280.0), (300.0, 580.0), (600.0, 880.0)])
    spots = draw(st.lists(st.tuples(across, sides), max_size=25))
    # lengths of words and of prose, so that all kinds of blocks come up; numbered, so that each is told apart
    fillers = draw(
        st.lists(st.sampled_from(["", "12.50", "some more words of prose"]), min_size=25, max_size=25)
    )
    return [Box(y0, x0, y1, x1, f"«{n}»{fillers[n]}") for n, ((x0, x1), (y0, y1)) in enumerate(spots)]


@given(pages())
def test_every_text_comes_exactly_once(boxes):
    text = text_of(boxes)
    for box in boxes:
        assert text.count(box.text.partition("»")[0] + "»") == 1
    assert sorted(text.split()) == sorted(word for box in boxes for word in box.text.split())


@given(pages(), st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_does_not_matter(boxes, chance):
    shuffled = boxes[:]
    chance.shuffle(shuffled)
    assert text_of(shuffled) == text_of(boxes)


@given(pages())
def test_equal_boxes_are_kept_apart(boxes):
    assert sorted(text_of(boxes * 2).split()) == sorted(
        word for box in boxes * 2 for word in box.text.split()
    )


def test_a_thousand_pieces_in_columns_are_all_there():
    chance = random.Random(5)
    boxes = [
        Box(y, x, y + 12, x + chance.randrange(20, 280), f"word {n}")
        for n in range(1000)
        for x, y in [(chance.choice((0, 300, 600)), chance.randrange(6000))]
    ]
    assert len(text_of(boxes).split()) == 2000
