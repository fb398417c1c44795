"""What document models write between the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.reading.families import options_for, prompt_for
from dropscribe.reading.marks import unmarked
from tests.reading.pages import honest_pages, real_pages, verdict

GROUNDED = """\
<|ref|>title<|/ref|><|det|>[[52, 61, 480, 90]]<|/det|>
# INVOICE No 2047

<|ref|>text<|/ref|><|det|>[[52, 110, 480, 160], [52, 170, 90, 190]]<|/det|>
Total: 1,280.50 EUR
"""
DOCTAGS = """\
<doctag><page_header><loc_10><loc_5><loc_90><loc_9>Baker & Sons</page_header>
<section_header_level_1><loc_52><loc_61><loc_480><loc_90>INVOICE No 2047</section_header_level_1>
<text><loc_52><loc_110><loc_480><loc_160>Thank you for your order of 3 May.</text>
<otsl><loc_1><loc_2><ched>Item<ched>Amount<nl><fcel>Tea | black<fcel>12.40<nl><fcel>Cups<ecel><nl></otsl>
<unordered_list><list_item><loc_1><loc_2><loc_3><loc_4>by transfer</list_item>
<list_item>within 14 days</list_item>
</unordered_list>
</doctag>"""
PLAIN = """\
Baker & Sons

## INVOICE No 2047

Thank you for your order of 3 May.

| Item | Amount |
|---|---|
| Tea \\| black | 12.40 |
| Cups |  |

- by transfer
- within 14 days"""


def test_boxes_before_blocks_are_taken_out():
    assert verdict(GROUNDED).text == "# INVOICE No 2047\n\nTotal: 1,280.50 EUR\n"


def test_doctags_become_markdown():
    assert unmarked(DOCTAGS) == PLAIN
    assert verdict(DOCTAGS).text == PLAIN + "\n"


def test_doctags_without_a_word_are_no_text():
    assert verdict("<doctag></doctag>").name == "empty"
    assert verdict("<doctag><picture><loc_1><loc_2><loc_3><loc_4></picture></doctag>").name == "empty"


def test_doctags_that_were_cut_off_lose_no_word():
    assert "\n| Tea \\| black | 12.40 |\n" in unmarked(DOCTAGS[: DOCTAGS.index("Cups")])


@pytest.mark.parametrize("page", [*honest_pages(), *real_pages()])
def test_a_page_without_marks_stays_as_it_is(page):
    assert unmarked(page) == page


@given(
    st.lists(
        st.sampled_from(["<doctag>", "<otsl>", "<fcel>", "<nl>", "a|b", "</text>", "<loc_5>", "<", "\n", "é"])
    )
)
def test_any_tags_can_be_taken_out(parts):
    assert isinstance(unmarked("".join(parts)), str)


@pytest.mark.parametrize(
    ("model", "preset", "words"),
    [
        ("glm-ocr", "plain", "Text Recognition:"),
        ("hf.co/ggml-org/GLM-OCR-GGUF:Q8_0", "table", "Table Recognition:"),
        ("deepseek-ocr:3b", "plain", "Free OCR."),
        ("deepseek-ocr:3b", "markdown", "<|grounding|>Convert the document to markdown."),
        ("ibm/granite-docling:258m", "markdown", "Convert this page to docling."),
        ("deepseek-ocr:3b", "describe", "ours"),
        ("deepseek-ocr:3b", "", "ours"),
        ("qwen3.5:4b", "markdown", "ours"),
        ("glm-4.6v", "plain", "ours"),
    ],
)
def test_a_family_with_words_of_its_own_is_asked_in_these(model, preset, words):
    assert prompt_for(model, preset, "ours") == words


def test_only_families_that_need_options_have_some():
    assert options_for("glm-ocr") == {"num_ctx": 12288}
    assert options_for("qwen3.5:4b") == {}


@pytest.mark.parametrize("tag", ["<" + "a" * 5000, "</" + "loc_" * 2000, "<" + "a_" * 3000 + "1"])
def test_a_tag_without_an_end_is_a_matter_of_moments(tag):
    """By a pattern that tries every way to part it, this test does not end."""
    assert unmarked(f"<doctag><text>Total {tag} 12</text></doctag>") == f"Total {tag} 12"
