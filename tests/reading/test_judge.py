"""Every verdict, and what comes close to it and is the text of a page."""

import json
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.prompts import FILL, MARKDOWN, NO_TEXT, PLAIN
from dropscribe.reading.judge import judge, judge_ocr
from dropscribe.values import Answer
from tests.reading.pages import HONEST, LETTER, honest_pages, real_pages, verdict
from tests.reading.test_peel import OPENINGS, PARTINGS, messy

NAMES = {
    "accepted", "no text", "empty", "thinking only", "not done", "length", "cut", "loop", "refusal",
    "description", "echo", "markup",
}  # fmt: skip
ENCODED = re.sub("[^a-z0-9]", "", "".join(sha256(bytes([n])).hexdigest() for n in range(10)))
LOOPING = LETTER + "the cat sat on the mat and " * 60


@pytest.mark.parametrize("page", [*honest_pages(), *real_pages()])
def test_an_honest_page_keeps_its_words(page):
    found = verdict(page)
    assert found.accepted
    assert found.text.split() == page.split()
    assert found.text.endswith("\n")
    assert not found.text.endswith("\n\n")


@pytest.mark.parametrize(
    "marker",
    [NO_TEXT, "[No text].", "**[no text]**", '"[no text]"', "`[no text]`", "no text", "No text.",
     "\\[no text\\]", "```\n[no text]\n```", "Here is the transcribed text:\n\n[no text]",
     "<think>blank</think>[NO TEXT]\n\n", "[no text]\n\n(The page is blank.)", "[no text] (only a stain)"],
)  # fmt: skip
def test_a_page_that_the_model_calls_blank_is_accepted_with_an_empty_text(marker):
    found = verdict(marker)
    assert (found.name, found.text, found.accepted) == ("no text", "", True)


def test_a_page_that_only_mentions_the_marker_is_a_page():
    assert verdict(f"{LETTER}\n[no text]").name == "accepted"
    assert verdict(f"[no text]\n({'Paid in cash by Anna. ' * 8})").name != "no text"
    assert verdict("[no text] (page 1)\nDear Anna, the boiler works again since noon.").name == "accepted"


@pytest.mark.parametrize(
    "text", ["", " \n\n\t", "```\n```", "```markdown\n\n```", "\u200b\u200b", "[illegible] [illegible]"]
)
def test_an_answer_without_a_word_is_empty(text):
    found = verdict(text)
    assert found.name == "empty"
    assert not found.accepted


def test_a_word_between_illegible_ones_is_a_text():
    assert verdict("[illegible] Anna [illegible]").name == "accepted"


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "", "thinking": "The page shows an invoice."},
        {"text": " \n", "thinking": "Hm.", "done_reason": "length"},
        {"text": "<think>The page shows an invoice."},
        {"text": "<think>An invoice.</think>"},
        {"text": "It is an invoice.\n</think>\n"},
    ],
)
def test_thoughts_without_an_answer_are_no_answer(changes):
    assert verdict(**changes).name == "thinking only"


def test_thoughts_beside_an_answer_do_not_matter():
    assert verdict(LETTER, thinking="A letter.").name == "accepted"


@pytest.mark.parametrize(("done", "reason"), [(False, ""), (False, "stop"), (True, "load"), (True, "error")])
def test_an_answer_that_did_not_end_is_not_done(done, reason):
    assert verdict(LETTER, done=done, done_reason=reason).name == "not done"


def test_an_answer_may_end_without_a_reason():
    assert verdict(LETTER, done_reason="").name == "accepted"


def test_an_answer_at_its_limit_names_the_limit():
    found = verdict(LETTER, done_reason="length", tokens=4096)
    assert found.name == "length"
    assert found.sentence == "the model's answer was cut off at its length limit (4,096 tokens)"
    assert found.text == LETTER


def test_a_loop_at_the_limit_is_a_loop():
    # A larger limit would only make it longer.
    assert verdict(LOOPING, done_reason="length").name == "loop"


def test_who_counts_to_the_limit_goes_round_in_a_circle():
    counted = "".join(f"{number}. Item number {number} of the list of goods\n" for number in range(1, 90))
    assert verdict(counted, done_reason="length").name == "loop"
    assert verdict(counted).name == "accepted"


def filled(text, **how):
    return judge(
        Answer(text, **{"done": True, "done_reason": "stop", **how}), prompt=FILL, repeats=0.3, filled=True
    )


def word(number):
    return "".join(chr(ord("a") + digit % 16) for digit in sha256(bytes([number])).digest()[:9])


def members(number):
    names = (
        "street",
        "city",
        "zip",
        "country",
        "phone",
        "email",
        "iban",
        "born",
        "joined",
        "left",
        "remarks",
    )
    return {"members": [{"name": word(n), **dict.fromkeys(names)} for n in range(number)]}


@pytest.mark.parametrize("number", [5, 30, 200])
@pytest.mark.parametrize("indent", [None, 2])
def test_names_of_a_schema_that_stand_again_for_each_item_are_no_loop(number, indent):
    text = json.dumps(members(number), indent=indent)
    assert filled(text).name == "accepted"
    assert filled(text[: len(text) // 2], done_reason="length").name == "length"


def test_an_item_that_stands_again_and_again_is_a_loop():
    item = {
        "what": 'the same long "sentence" as before, word for word, again and again and once more',
        "price": "2",
    }
    assert filled(json.dumps([item] * 12)).name == "loop"
    assert filled(json.dumps([item] * 12)[:-30], done_reason="length").name == "loop"
    text = json.dumps([{**item, "number": n} for n in range(60)])
    assert filled(text, done_reason="length").name == "loop"


@pytest.mark.parametrize("text", ['"\\' * 100_000, '"' * 100_001, '{"a' * 50_000])
def test_strings_without_an_end_are_a_matter_of_moments(text):
    assert not filled(text, done=False).accepted


def test_a_loop_that_the_server_cut_is_a_loop():
    assert verdict(" INVOICE" * 31, done=False, done_reason="").name == "loop"


def test_what_we_cut_ourselves_says_why():
    assert verdict(LETTER, done=False, cut="loop").name == "loop"
    found = verdict(LETTER, done=False, cut="more than 4 MB\n\x1b[31m of text")
    assert found.name == "cut"
    assert "more than 4 MB [31m of text" in found.sentence


REFUSALS = (
    "I'm sorry, but I can't assist with that.",
    "I’m sorry, I can’t help with that request.",
    "Sorry, I cannot.",
    "I cannot assist with transcribing this document.",
    "I am unable to view images directly. Please describe the picture to me.",
    "Unfortunately, I'm not able to read the text in this image because it is too blurry.",
    "I don't see any image attached to your message.",
    "No image was provided. Please upload the image so that I can transcribe it.",
    "As an AI language model, I do not have the ability to see pictures.",
    "As an AI, I can't see pictures.",
    "As an AI assistant I do not read images.",
    "There is no text in this image.",
    "The image does not contain any readable text.",
    "No discernible text is visible.",
    "The image appears to be completely blank.",
    "It seems that you haven't uploaded an image.",
    "Could you please upload the image again?",
    "Unfortunately, the image is too blurry to read.",
    "I do not see any text in this image.",
    "Es tut mir leid, aber ich kann dieses Bild nicht lesen.",
    "Ich kann keine Bilder sehen.",
    "Leider kann ich Ihnen bei dieser Anfrage nicht helfen.",
    "Es wurde kein Bild hochgeladen.",
    "Als KI-Sprachmodell kann ich das nicht.",
    "Je suis désolé, mais je ne peux pas lire le texte de cette image.",
    "Je ne peux pas vous aider avec cette demande.",
    "Aucune image n'a été fournie.",
    "En tant qu'IA, je n'ai pas accès aux fichiers.",
    "Lo siento, pero no puedo ver la imagen.",
    "Lo siento, no puedo ayudarte con eso.",
    "No se ha proporcionado ninguna imagen.",
    "Como modelo de lenguaje, no puedo procesar archivos.",
)
HONEST_NOTES = (
    "I'm sorry, I can't come on Tuesday. Anna",
    "Sorry I missed you! I will call again tomorrow. Your postman",
    "Leider kann ich dir am Samstag nicht helfen. Gruß, Tom",
    "Je ne peux pas venir dimanche, je suis désolée. Marie",
    "Lo siento mucho, no puedo ir a la fiesta. Un abrazo, Luis",
    "Please attach a photo here.",
    "Could you send me the photo from Sunday, please? Anna",
    "You have not attached a photo to your application. Please hand it in by Friday.",
    "Unfortunately, the photo of Grandpa is too dark to be printed.",
    "I do not see any text messages from you. Call me!",
    "This page is intentionally left blank.",
    "No smoking. No dogs. No entry.",
    "We are unable to process returns without a receipt.",
    "Ich kann nicht mehr.",
    "As an AI company, we look for people.",
    "ERROR: unable to open image file scan.png",
    "You must be the change\nyou want to see in the world!",
)


@pytest.mark.parametrize("text", REFUSALS)
def test_a_model_that_talks_instead_of_reading_is_refused(text):
    found = verdict(text)
    assert found.name == "refusal"
    assert " ".join(text.split())[:60] in found.sentence
    assert found.text.strip() == text


@pytest.mark.parametrize("text", HONEST_NOTES)
def test_a_note_that_sounds_like_a_refusal_is_a_page(text):
    assert verdict(text).name == "accepted"


@pytest.mark.parametrize("text", REFUSALS)
def test_a_letter_in_which_the_same_sentence_stands_is_a_page(text):
    assert verdict(f"{LETTER}\n{text}\n{LETTER}").name == "accepted"
    assert verdict(f"{LETTER}\n{text}").name == "accepted"
    assert verdict(f"{text}\n{LETTER * 2}").name == "accepted"


DESCRIPTIONS = (
    "The image shows an invoice from Baker & Sons, dated 3 May 2024, over 1,284.50 EUR.",
    "This image appears to be a scanned letter.\n\nThe text reads:\n\nDear Mrs Whitcombe, thank you",
    "The picture you provided contains a table with three columns and twelve rows of names and amounts.",
    "This is a photo of a handwritten note. It says that somebody will come on Tuesday.",
    "This is a black and white scanned document from an insurance company, addressed to Mr Pym.",
    "In the image, there is a receipt from a supermarket with a total of 12.40 EUR at the bottom.",
    "In this photo you can see a cat that sleeps on a red sofa beside a window with plants.",
    "This appears to be a receipt from a bakery.",
    "The image is a scanned invoice dated 3 May.",
    "Sure! The image shows a letter.",
    "# Image Description\n\nThe image shows an invoice with a table of three items.",
    "**Description:** This image displays a form.\n\nName: Pym",
    "Here is a description of the image:\n\nA receipt from a bakery.",
    "Based on the image, this is a receipt from a bakery.",
    "Das Bild zeigt einen Kassenbon von Rewe.",
    "**The screenshot displays a web page** with a form for names and addresses, and a blue button below it.",
    "Das Bild zeigt eine Rechnung der Firma Weber über 120 EUR.",
    "Auf dem Bild ist ein handgeschriebener Brief zu sehen, der an eine Frau Marie gerichtet ist.",
    "L'image montre une facture de la société Dupont.",
    "La imagen muestra una factura de la empresa García.",
)
CAPTIONS = (
    "The picture shows Anna and her dog.\n\n1. What is the dog called?\n2. Where do they walk?",
    "The image shows it.",
    "Figure 3. The image shows the front view of the cabinet with its two doors opened.",
    "This document is confidential.\nDo not copy it.",
    "The photo contest is open to all readers of this paper who have not won it in the last three years.",
    "Das Bild zeigt Opa im Garten.\nSommer 1962",
    "This is a form of address that is no longer in use in most of the towns along the river.",
    "It appears to be raining.",
    "Description: a small house with a garden\nPrice: 120,000",
    "Certainly the picture is a success!",
    "Here is a description of the tour: two hours, with tea.",
    "The picture is a must.",
)


ASKS_FOR_TEXT = (
    PLAIN,
    MARKDOWN,
    "Free OCR.",
    "Lies alles, was auf der Seite steht.",
    "Transcribe what is written on this page.",
    "Write down what is printed here.",
)


@pytest.mark.parametrize("text", DESCRIPTIONS)
@pytest.mark.parametrize("prompt", ASKS_FOR_TEXT)
def test_a_model_that_describes_instead_of_reading_is_refused(text, prompt):
    found = verdict(text, prompt=prompt)
    assert found.name == "description"
    assert " ".join(text.split())[:60] in found.sentence


@pytest.mark.parametrize(
    "prompt",
    [
        "Describe this photo in two sentences. Only what is visible.",
        "Transcribe the text, then describe the picture.",
        "Beschreibe das Bild.",
        "What is this?",
        "Put the shop, the date and the total on top.",
    ],
)
def test_who_asks_for_more_than_the_text_gets_a_description(prompt):
    assert verdict(DESCRIPTIONS[0], prompt=prompt).name == "accepted"


@pytest.mark.parametrize("text", CAPTIONS)
def test_a_page_that_speaks_of_pictures_is_a_page(text):
    assert verdict(text).name == "accepted"


@pytest.mark.parametrize("text", DESCRIPTIONS)
def test_a_description_within_a_page_is_a_page(text):
    assert verdict(f"{LETTER}\n{text}").name == "accepted"


@pytest.mark.parametrize(
    "prompt", [PLAIN, MARKDOWN, FILL, "Free OCR.", "Transcribe every word that you can see here."]
)
def test_a_prompt_that_comes_back_is_an_echo(prompt):
    assert verdict(prompt, prompt=prompt).name == "echo"
    assert verdict(prompt.upper(), prompt=prompt).name == "echo"


def test_most_of_a_prompt_is_an_echo():
    assert verdict(" ".join(MARKDOWN.split()[:50])).name == "echo"


@pytest.mark.parametrize("quoted", [MARKDOWN, PLAIN])
def test_a_page_that_quotes_the_prompt_is_a_page(quoted):
    assert (
        verdict(f"Minutes of Monday\n\nThe prompt in use was:\n{quoted}\n\n{LETTER * 2}").name == "accepted"
    )


def test_a_page_that_quotes_a_sentence_of_the_prompt_is_a_page():
    assert (
        verdict("Copy the form.\nWrite [illegible] where a word cannot be read; do not guess.").name
        == "accepted"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"![logo](data:image/png;base64,{'iVBORw0KGgoAAAANSUhEUg' * 10})",
        f"{LETTER}{ENCODED}",
        "".join(f'<div class="c{n}"><span style="left:{n}px"></span></div>' for n in range(120)),
    ],
)
def test_encoded_data_and_endless_markup_are_no_text(text):
    assert verdict(text).name == "markup"


def test_markup_at_the_limit_is_markup():
    assert (
        verdict(f"data:image/png;base64,{'iVBORw0KGgoAAAANSUhEUg' * 10}", done_reason="length").name
        == "markup"
    )


def test_a_page_about_data_uris_is_a_page():
    assert verdict('Write <img src="data:image/png;base64,iVBORw0KGgo="> into the page.').name == "accepted"


def test_a_table_in_html_is_a_page():
    rows = "".join(f"<tr><td>{n}</td><td>Transfer {n * 7}</td><td>{n * 13}.50</td></tr>\n" for n in range(60))
    assert verdict(f"<table>\n{rows}</table>").name == "accepted"


def test_the_embedded_engine_is_judged_by_whether_it_found_text():
    assert judge_ocr(Answer("I can't assist with that.\r\n", done=True)).text == "I can't assist with that.\n"
    assert judge_ocr(Answer(NO_TEXT, done=True)).name == "no text"
    assert judge_ocr(Answer("  ", done=True)).name == "no text"
    assert judge_ocr(Answer(LOOPING, done=True)).accepted
    assert judge_ocr(Answer("half", done=False)).name == "not done"


anything = st.one_of(st.text(), messy)


reasons = st.sampled_from(["", "stop", "length"]) | st.text()
answers = st.builds(Answer, anything, st.booleans(), reasons, anything)


@given(answers, anything, st.floats(0, 1))
def test_any_answer_gets_one_of_the_verdicts(answer, prompt, repeats):
    found = judge(answer, prompt=prompt, repeats=repeats)
    assert found.name in NAMES
    assert found.sentence.isprintable()
    assert found.text == "" or (found.text.endswith("\n") and found.text.strip())
    found.text.encode()


@given(st.sampled_from(sorted(HONEST)), st.integers(1, 60), st.randoms(use_true_random=False))
def test_whatever_goes_round_after_an_honest_page_is_a_loop(name, words, draw):
    unit = " ".join("".join(draw.choices("abcdefghij", k=6)) for _ in range(words)) + " "
    text = f"{HONEST[name]}\n{unit * max(6, 800 // len(unit))}"
    assert verdict(text).name == "loop"
    assert verdict(text, done=False).name == "loop"


@given(st.sampled_from(sorted(HONEST)), reasons, st.booleans())
def test_no_page_is_accepted_whose_answer_did_not_end_well(name, reason, done):
    found = verdict(HONEST[name], done=done, done_reason=reason)
    assert found.accepted == (done and reason.lower() in {"", "stop"})


@given(st.sampled_from(sorted(HONEST)), st.sampled_from(OPENINGS), st.sampled_from(PARTINGS), st.booleans())
def test_an_honest_page_in_wrappers_is_the_page(name, opening, parting, fenced):
    page = HONEST[name] if not HONEST[name].startswith("```") else LETTER
    inside = f"````\n{page}\n````" if fenced else page
    assert verdict(f"<think>Hm.</think>{opening}\n\n{inside}\n\n{parting}").text == verdict(page).text


@given(anything, st.text(alphabet=" \n\r\t", max_size=4))
def test_what_was_accepted_is_accepted_again_with_whatever_space_behind(text, space):
    found = verdict(text)
    assert (found.name == "accepted") == bool(found.accepted and found.text)
    if found.name == "accepted":
        assert verdict(found.text) == found
        assert verdict(text + space) == found
        assert verdict(found.text.replace("\n", "\r\n")) == found
