import os
import shlex
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.filing.pages import PageText
from dropscribe.filing.reason import Reason, TriedRecipe, render_reason

REASON = Reason(
    scan="receipt.png",
    inbox="/home/u/Scans/receipts",
    at="2026-03-09T14:05:06+01:00",
    reason="the answer ends in the middle of the page",
    fix="scan it again with more contrast",
    size=2_100_000,
    tries=(
        TriedRecipe(1, "qwen3.5:4b, whole page", "the answer repeats itself", 75.0, "Total 12 Total 12"),
        TriedRecipe(
            1,
            "qwen3.5:4b, smaller page",
            "the answer ends in the middle",
            4.2,
            "Bakery\nTotal 12,50 and more",
        ),
    ),
)
HEADINGS = ["Why", "What was tried", "How to try again", "The best answer so far"]
KEPT = "The pages that were read"


def told(**changes):
    values = {name: getattr(REASON, name) for name in Reason.__slots__} | changes
    return render_reason(Reason(**values)).decode()


def headings(text):
    return [line for line, below in pairwise(text.split("\n")) if line and below == "-" * len(line)]


def test_a_reason_file_tells_what_why_what_was_tried_and_how_to_retry():
    assert (
        told()
        == """\
This scan could not be read by dropscribe.

Scan   receipt.png
Inbox  /home/u/Scans/receipts
Size   2.1 MB
When   2026-03-09T14:05:06+01:00

Why
---
The answer ends in the middle of the page.
What helps: scan it again with more contrast.

What was tried
--------------
1. qwen3.5:4b, whole page (1 min 15 s): the answer repeats itself.
2. qwen3.5:4b, smaller page (4 s): the answer ends in the middle.

How to try again
----------------
Move the scan back into its inbox:
    /home/u/Scans/receipts

The best answer so far
----------------------
It was not good enough to be filed as text. Each of its lines starts with "> ".

> Bakery
> Total 12,50 and more
"""
    )


def test_a_try_is_told_with_the_name_of_its_verdict():
    tries = (TriedRecipe(1, "qwen3.5:4b", "the model's answer was empty", 2, name="empty"),)
    assert "1. qwen3.5:4b (2 s): empty: the model's answer was empty.\n" in told(tries=tries)


def test_a_scan_that_was_never_asked_about_has_no_best_answer():
    text = told(tries=())
    assert headings(text) == HEADINGS[:3]
    assert "No model was asked." in text


def test_each_page_has_its_best_answer():
    text = told(tries=(TriedRecipe(2, "r", "v", 1, "second"), TriedRecipe(1, "r", "v", 1, "first")))
    assert text.endswith("\nPage 1:\n> first\n\nPage 2:\n> second\n")
    assert "1. Page 2, r (1 s): v." in text


def test_a_scan_of_which_pages_were_read_tells_which_were_not_and_keeps_the_others():
    assert (
        told(
            scan="letter.pdf",
            pages=100,
            tries=(
                TriedRecipe(3, "qwen3.5:4b, whole page", "the answer is empty", 2, "never mind"),
                TriedRecipe(7, "qwen3.5:4b, whole page", "the answer repeats itself", 75, "Dear Dear"),
            ),
            kept=(
                PageText(1, "Dear Ada,\nWhy\n---"),
                PageText(2, "", "blank"),
                PageText(3, "third", "the second reader disagrees"),
                *(PageText(n, f"page {n}") for n in (4, 5, 6, 8, *range(14, 101))),
            ),
        ).partition("\nPage 4:")[0]
        == """\
Only a part of this scan could be read by dropscribe.

Scan   letter.pdf
Inbox  /home/u/Scans/receipts
Pages  100
Size   2.1 MB
When   2026-03-09T14:05:06+01:00

Why
---
Pages 7 and 9 to 13 of 100 could not be read.
The answer ends in the middle of the page.
What helps: scan it again with more contrast.

What was tried
--------------
No model was asked about pages 9 to 13.
1. Page 7, qwen3.5:4b, whole page (1 min 15 s): the answer repeats itself.

How to try again
----------------
Move the scan back into its inbox:
    /home/u/Scans/receipts
The pages that were read are kept: a retry asks only for the others.

The best answer so far
----------------------
It was not good enough to be filed as text. Each of its lines starts with "> ".

Page 7:
> Dear Dear

The pages that were read
------------------------
Each line of their texts starts with "> ".

Page 1:
> Dear Ada,
> Why
> ---

Page 2 has no text (blank).

Page 3 (the second reader disagrees):
> third
"""
    )


def test_of_a_single_bad_page_its_number_is_told():
    kept = tuple(PageText(n, "text") for n in range(1, 101) if n != 7)
    assert "\nPage 7 of 100 could not be read.\n" in told(pages=100, kept=kept, tries=())
    assert "\nNo model was asked about page 7.\n" in told(pages=100, kept=kept, tries=())


def test_where_no_page_was_read_nothing_is_said_to_be_kept():
    text = told(pages=3)
    assert "\nNone of its 3 pages could be read.\n" in text
    assert "kept" not in text
    assert headings(text) == HEADINGS


def test_of_a_scan_that_was_not_opened_no_page_is_spoken_of():
    text = told(pages=501, tries=(), reason="it has 501 pages, more than the limit of 500", fix="")
    assert "\nWhy\n---\nIt has 501 pages, more than the limit of 500.\n\nWhat" in text
    assert "No model was asked.\n" in text


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("the picture is damaged", "The picture is damaged."),
        ("It is damaged.", "It is damaged."),
        ("qwen3.5:4b has no vision", "qwen3.5:4b has no vision."),
        ("/mnt/scans: the disk is full", "/mnt/scans: the disk is full."),
        ("empty", "Empty."),
        ("nas.local is away", "nas.local is away."),
    ],
)
def test_sentences_start_with_a_capital_and_names_are_left_as_they_are(reason, line):
    assert f"\nWhy\n---\n{line}\n" in told(reason=reason, fix="")


@pytest.mark.parametrize("name", ["receipt.png", "a b's.png", "-rf.png", "$(touch x).png"])
def test_the_command_to_retry_can_be_pasted_into_a_shell(name):
    assert "dropscribe retry" not in told(scan=name)
    command = told(scan=name, retry_command=True).partition("or run:\n")[2].partition("\n\n")[0]
    words = shlex.split(command)
    assert words[:2] == ["dropscribe", "retry"]
    assert words[-1] == name
    assert not name.startswith("-") or words[2] == "--"


@pytest.mark.parametrize("raw", [b"new\nline.png", b"\xff.png", b"\x1b[2J.png", "\u202egnp.exe".encode()])
def test_a_name_that_cannot_be_typed_is_shown_harmlessly_and_never_as_a_command(raw):
    text = told(scan=os.fsdecode(raw), retry_command=True)
    assert "dropscribe retry" not in text
    assert "Move the scan back" in text
    assert not set(text) & set("\x1b\u202e")
    assert text.count("\nScan   ") == 1


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_line_of_an_answer_can_pass_for_one_of_ours(end):
    fake = f"text{end}Why{end}---{end}it is fine"
    text = told(tries=(TriedRecipe(2, "r", "v", 1, fake),), pages=2, kept=(PageText(1, fake),))
    assert headings(text) == [*HEADINGS, KEPT]
    marked = [line[2:] for line in text.split("\n") if line.startswith("> ")]
    assert marked == ["text", "Why", "---", "it is fine"] * 2


ANY = st.text(st.characters(), max_size=200)


@given(ANY, ANY, ANY, ANY, ANY, ANY)
def test_whatever_it_contains_it_is_text_with_our_headings_only(scan, reason, recipe, verdict, answer, note):
    tries = (TriedRecipe(1, recipe, verdict, 1, answer),)
    text = told(scan=scan, reason=reason, fix="", tries=tries, pages=2, kept=(PageText(2, answer, note),))
    assert headings(text) == [*(HEADINGS if answer.strip() else HEADINGS[:3]), KEPT]
    assert text.endswith("\n")
    assert all(char.isprintable() or char in "\n\t" or char.isspace() or ord(char) > 0xA0 for char in text)


@given(st.lists(st.text("abcdef", min_size=1, max_size=20), min_size=1, max_size=80))
def test_what_we_say_is_wrapped_at_80_columns(words):
    text = told(reason=" ".join(words), tries=(TriedRecipe(1, " ".join(words), " ".join(words), 1),))
    assert max(len(line) for line in text.split("\n")) <= 80
