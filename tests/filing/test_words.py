import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.words import bytes_in_words, duration_in_words, numbers_in_words, plural, shown


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"scan.png", "scan.png"),
        ("Müller 書類 🧾.png".encode(), "Müller 書類 🧾.png"),
        ("Screenshot at 3.00\u202fPM.png".encode(), "Screenshot at 3.00\u202fPM.png"),
        ("نامه\u200cها.png".encode(), "نامه\u200cها.png"),
        (b"a\n2026 INFO ok\x1b[2J.png", r"a\x0a2026 INFO ok\x1b[2J.png"),
        (b"tab\tcr\rdel\x7f", r"tab\x09cr\x0ddel\x7f"),
        ("\u202egnp.exe".encode(), r"\u202egnp.exe"),
        ("a\u2028b\u0085c\ufeffd\U000e0041".encode(), r"a\u2028b\u0085c\ufeffd\U000e0041"),
        (b"\xff\xfe.png", r"\xff\xfe.png"),
        (b"back\\slash", r"back\slash"),
    ],
)
def test_names_are_shown_as_they_are_where_that_is_harmless(raw, told):
    assert shown(os.fsdecode(raw)) == told


@given(st.text(st.characters()))
def test_any_name_is_shown_on_one_line_that_can_be_encoded_and_shown_again(name):
    told = shown(name)
    told.encode()
    assert len(f"{told}.".splitlines()) == 1
    assert shown(told) == told


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "0 bytes"), (1, "1 byte"), (6698, "6,698 bytes"), (9_999, "9,999 bytes"), (10_000, "10 kB"),
        (512_300, "512 kB"), (999_499, "999 kB"),
        (999_999, "1 MB"), (2_100_000, "2.1 MB"), (9_960_000, "10 MB"),
        (31_400_000, "31 MB"), (5_000_000_000, "5 GB"), (1_234_500_000_000, "1.2 TB"),
    ],
)  # fmt: skip
def test_sizes_are_told_as_file_managers_tell_them(n, words):
    assert bytes_in_words(n) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"), (-1, "0.0 s"), (0.42, "0.4 s"),
        (0.96, "1 s"), (4.2, "4 s"), (59.7, "1 min"), (90, "1 min 30 s"),
        (120, "2 min"), (599.8, "10 min"), (1500, "25 min"), (3599, "1 h"), (3900, "1 h 5 min"),
        (86_399, "1 day"), (266_400, "3 days 2 h"),
    ],
)  # fmt: skip
def test_durations_are_told_in_two_units_at_most(seconds, words):
    assert duration_in_words(seconds) == words


def test_one_is_not_many():
    assert [plural(n, "scan") for n in (0, 1, 2, 1200)] == ["0 scans", "1 scan", "2 scans", "1,200 scans"]
    assert [plural(n, "try", "tries") for n in (1, 2)] == ["1 try", "2 tries"]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], ""), ([7], "7"), ([9, 7], "7 and 9"), ([1, 2], "1 and 2"), ([1, 2, 3], "1 to 3"),
        ([2, 12, 7, 13, 14, 7], "2, 7 and 12 to 14"), ([1, 2, 5, 6], "1, 2, 5 and 6"),
    ],
)  # fmt: skip
def test_numbers_are_told_in_order_and_rows_of_them_by_their_ends(numbers, words):
    assert numbers_in_words(numbers) == words


@given(st.sets(st.integers(1, 60)))
def test_every_number_is_told_once_and_no_other(numbers):
    told = set()
    for part in filter(None, numbers_in_words(numbers).replace(" and ", ", ").split(", ")):
        first, _, last = part.partition(" to ")
        told |= set(range(int(first), int(last or first) + 1))
    assert told == numbers
