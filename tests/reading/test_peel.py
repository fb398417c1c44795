"""What models put around a page, and what looks like it and is printed on one."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.reading.peel import clean, peel
from tests.reading.pages import HONEST, LETTER, honest_pages, real_pages

PAGE = "INVOICE No 2047\n\nTotal: 1,280.50 EUR"

OPENINGS = (
    "Here is the transcribed text:",
    "Sure! Here's the text from the image:",
    "Certainly! Here is the transcription of the image you provided:",
    "Of course.\n\nHere is the full text extracted from the picture:",
    "**Here is the extracted text in Markdown:**",
    "Transcribed text:",
    "The text in the image reads:",
    "The image contains the following text:",
    "Natürlich! Hier ist der transkribierte Text:",
    "Hier ist der Text aus dem Bild:",
    "Der Text auf dem Bild lautet:",
    "Voici le texte transcrit :",
    "Bien sûr ! Voici la transcription de l'image :",
    "¡Claro! Aquí está el texto de la imagen:",
    "Aquí tienes la transcripción:",
    "Texto extraído de la imagen:",
)
PARTINGS = (
    "Let me know if you need anything else.",
    "I hope this helps!",
    "I hope this helps! Let me know if you need further assistance.",
    "Please let me know if you would like me to translate this.",
    "If you need any further help, let me know!",
    "Is there anything else I can help you with?",
    "Lassen Sie mich wissen, wenn Sie weitere Hilfe benötigen.",
    "Ich hoffe, das hilft!",
    "J'espère que cela vous aide !",
    "N'hésitez pas à me demander si vous avez besoin d'autre chose.",
    "Espero que te sea útil.",
)
THOUGHTS = (
    "<think>\n\n</think>\n\n",
    "<think>A bill. I must\nread it.</think>",
    "The user wants text.\n</think>\n",
)
FENCES = ("```", "```markdown", "````text", "```md title=page")

wrappings = st.tuples(
    st.sampled_from(["", *THOUGHTS]),
    st.sampled_from(["", *OPENINGS]),
    st.sampled_from(["", *FENCES]),
    st.sampled_from(["", *PARTINGS]),
)


def wrapped(page, thought, opening, fence, parting):
    if fence:
        page = f"{fence}\n{page}\n{'`' * fence.count('`')}"
    opening = opening and f"{opening}\n\n"
    parting = parting and f"\n\n{parting}"
    return f"{thought}{opening}{page}{parting}\n"


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_line_that_announces_the_text_goes(opening):
    assert peel(f"{opening}\n\n{PAGE}") == PAGE
    assert peel(f"{opening}\n\n---\n\n{PAGE}") == PAGE


@pytest.mark.parametrize("opening", OPENINGS)
def test_a_line_that_announces_nothing_stays(opening):
    assert peel(opening) == clean(opening)


@pytest.mark.parametrize("parting", PARTINGS)
def test_a_parting_sentence_goes(parting):
    assert peel(f"{PAGE}\n\n{parting}") == PAGE
    assert peel(f"{PAGE}\n\n---\n\n{parting}\n") == PAGE


@pytest.mark.parametrize("parting", PARTINGS)
def test_a_parting_sentence_alone_or_within_the_text_stays(parting):
    assert peel(parting) == parting
    assert peel(f"{PAGE}\n\n{parting}\n\nAnna") == f"{PAGE}\n\n{parting}\n\nAnna"
    assert peel(f"{PAGE}\n{parting}") == f"{PAGE}\n{parting}"


@pytest.mark.parametrize("thought", [*THOUGHTS, "<THINK>hm</THINK>", "<thinking>hm</thinking>"])
def test_leaked_thinking_goes(thought):
    assert peel(f"{thought}{PAGE}") == PAGE


def test_thinking_without_an_end_leaves_nothing():
    assert peel(f"<think>I see {PAGE}") == ""


@pytest.mark.parametrize("fence", FENCES)
def test_a_fence_around_everything_goes(fence):
    assert peel(wrapped(PAGE, "", "", fence, "")) == PAGE


@pytest.mark.parametrize(
    "page",
    [
        HONEST["code in a fence within a page"],
        "```\nfirst\n```\n\n```\nsecond\n```",
        "```\nfirst\n```\nand then",
        "a page with an end only\n```",
        "```\nnever closed",
    ],
)
def test_fences_that_do_not_enclose_everything_stay(page):
    assert peel(page) == page


def test_a_fence_within_the_fence_stays():
    inner = "Do this:\n\n```sh\nls\n```\n\nand look."
    assert peel(f"```markdown\n{inner}\n```") == inner
    bare = inner.replace("```sh", "```")
    assert peel(f"````\n{bare}\n````") == bare


@pytest.mark.parametrize(
    "nothing", ["", " \n\t\n", "```", "```\n```", "```markdown\n\n```\n", "````\n```\n```\n````"]
)
def test_nothing_and_fences_around_nothing_are_nothing(nothing):
    assert peel(nothing) == ""


@pytest.mark.parametrize(
    "first",
    [
        "Contents:",
        "Dear Sirs:",
        "Here is what you need:",
        "Here are the opening hours of the surgery:",
        "Text:",
        "Ingredients:",
        "Hier ist Platz für Ihre Notizen:",
        "Voici nos horaires :",
        "The picture shows:",
    ],
)
def test_a_first_line_that_may_be_printed_stays(first):
    page = f"{first}\n\nmilk\neggs"
    assert peel(page) == page


@pytest.mark.parametrize(
    "last",
    [
        "Please let me know if you have any questions.",
        "N'hésitez pas à nous contacter.",
        "We hope to see you again!",
        "Bitte lassen Sie uns wissen, wann Sie kommen.",
    ],
)
def test_how_letters_end_stays(last):
    page = f"{LETTER.strip()}\n\n{last}"
    assert peel(page) == page


def test_line_ends_become_line_feeds_and_control_characters_go():
    assert peel("a\r\nb\rc\x0cd\u2028e\x00f\x1b\x7f\x9bg\ufeff\th ") == "a\nb\nc\nd\nef" + "g\th"
    assert peel("half of a pair: \ud83d") == "half of a pair: \ufffd"


@pytest.mark.parametrize("page", [*honest_pages(), *real_pages()])
def test_an_honest_page_keeps_every_line(page):
    lines = chain.from_iterable(line.split("\x0c") for line in page.strip().split("\n"))
    assert peel(page).split("\n") == [line.rstrip() for line in lines]


@given(st.sampled_from([PAGE, LETTER.strip()]), wrappings)
def test_whatever_is_wrapped_around_a_page_only_the_page_is_left(page, wrapping):
    assert peel(wrapped(page, *wrapping)) == page


pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["\n", "\n\n", "```", "```text\n", "<think>", "</think>", "---\n", *OPENINGS, *PARTINGS]),
)
messy = st.lists(pieces, max_size=8).map("".join)


@given(messy)
def test_peeling_twice_changes_nothing(text):
    assert peel(peel(text)) == peel(text)


@given(messy)
def test_what_is_left_stood_there_in_one_piece(text):
    assert peel(text) in clean(text)


@given(st.text(), st.text(alphabet=" \n\t\r", max_size=5))
def test_space_behind_and_the_kind_of_line_end_change_nothing(text, space):
    lines = text.replace("\r", "\n")
    assert peel(lines + space) == peel(lines)
    assert peel(lines.replace("\n", "\r\n")) == peel(lines)
