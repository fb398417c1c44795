import json
import os
from dataclasses import replace

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from dropscribe.filing.render import PageText, Provenance, RenderRules, Transcript, render

PROVENANCE = Provenance(
    scan="scan.png",
    inbox="receipts",
    sha256="ab" * 32,
    size=6698,
    received_at="2026-03-09T14:05:06+01:00",
    read_at="2026-03-09T14:06:00+01:00",
    engine="ollama",
    model="qwen3.5:4b",
    host="http://localhost:11434",
    recipe="whole page, 1.6 megapixels",
    seconds=12.5,
    tries=1,
    program="dropscribe 0.1.0",
    verdicts=("accepted",),
)
ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates and controls included
HOSTILE = '"\n---\nscan: "mine'


def rendered(*texts, provenance=PROVENANCE, **rules):
    pages = tuple(PageText(number, text) for number, text in enumerate(texts, 1))
    outputs = render(Transcript(pages), provenance, RenderRules(**rules))
    return {output.suffix: output.data for output in outputs}


# --- bodies


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, {".md": b"one\n\n<!-- page 2 -->\n\ntwo\n"}),
        ({"format": "text"}, {".txt": b"one\n\ftwo\n"}),
        ({"pages": "separate"}, {".p1.md": b"one\n", ".p2.md": b"two\n"}),
        ({"format": "text", "pages": "separate"}, {".p1.txt": b"one\n", ".p2.txt": b"two\n"}),
        ({"page_break": "- {page}/{pages} -"}, {".md": b"one\n\n- 2/2 -\n\ntwo\n"}),
        ({"format": "text", "page_break": "- {page}/{pages} -"}, {".txt": b"one\n- 2/2 -\ntwo\n"}),
        (
            {"pages": "separate", "page_part": "_{page}of{pages}", "page_break": "---"},
            {"_1of2.md": b"one\n", "_2of2.md": b"two\n"},
        ),
    ],
)
def test_pages_are_joined_or_separate(rules, expected):
    assert rendered("one", "two\n\n", **rules) == expected


@pytest.mark.parametrize("pages", ["joined", "separate"])
def test_a_single_page_is_neither_parted_nor_numbered(pages):
    assert rendered("one", pages=pages, page_break="---", page_part="-{page}") == {".md": b"one\n"}


def test_a_page_without_text_keeps_its_place():
    assert rendered("", "two", "", format="text") == {".txt": b"\n\ftwo\n\f\n"}
    assert rendered("", "two", "", format="text", page_break="-{page}-") == {".txt": b"\n-2-\ntwo\n-3-\n\n"}
    assert rendered("", "two", "", page_break="-{page}-") == {".md": b"-2-\n\ntwo\n\n-3-\n"}


BREAKS = [None, "---", "--- page {page} of {pages} ---", "{{{page}}}"]


@given(
    st.lists(ANY_TEXT, min_size=1, max_size=5),
    st.sampled_from(BREAKS),
    st.sampled_from(["markdown", "text"]),
)
def test_joined_pages_can_be_taken_apart_again(texts, page_break, format_):
    """Whatever they contain, unless one contains the break itself."""
    (data,) = rendered(*texts, format=format_, page_break=page_break).values()
    (alone,) = zip(*(rendered(text, format=format_).values() for text in texts), strict=True)
    pages = [page.decode().strip("\n") for page in alone]
    comment = "<!-- page {page} -->" if format_ == "markdown" else ""
    line = page_break or comment
    marks = [
        f"\n{line}\n".format(page=n, pages=len(texts)) if line else "\f" for n in range(2, len(texts) + 1)
    ]
    assume(not any(mark in f"\n{page}\n" for mark in marks for page in pages))
    assume(not any(text.lstrip().startswith(("---", "+++")) for text in texts))
    rest, found = data.decode(), []
    for mark in marks:
        page, _, rest = f"\n{rest}".partition(mark)
        found.append(page)
    assert [page.strip("\n") for page in [*found, rest]] == pages


@pytest.mark.parametrize(
    ("text", "filed"),
    [
        ("---\nmodel: evil\n---\nText", "***\nmodel: evil\n---\nText\n"),
        ("-----  \nmodel: evil\n-----", "***  \nmodel: evil\n-----\n"),
        ("\n \n---\nmodel: evil\n---", "\n \n***\nmodel: evil\n---\n"),
        ("+++\nmodel = 'evil'\n+++", "\\+++\nmodel = 'evil'\n+++\n"),
        ("---", "***\n"),
        ("--- a line of text", "--- a line of text\n"),
        ("| a |\n|---|", "| a |\n|---|\n"),
    ],
)
def test_no_page_begins_with_what_programs_take_for_front_matter(text, filed):
    assert rendered(text) == {".md": filed.encode()}
    (data,) = rendered(text, "two").values()
    assert data.startswith(filed.encode())
    assert rendered(text, format="text") == {".txt": f"{text}\n".encode()}


@pytest.mark.parametrize("page_break", BREAKS)
@pytest.mark.parametrize("format_", ["markdown", "text"])
def test_a_page_that_contains_the_break_is_kept_whole(format_, page_break):
    text = "one\n---\n<!-- page 2 -->\n--- page 2 of 2 ---\n{2}\nfour"
    (data,) = rendered(text, "two", format=format_, page_break=page_break).values()
    assert data.decode().startswith(f"{text}\n")
    assert data.decode().endswith("two\n")


# --- pages with a note


UNREAD = PageText(2, "half an answer", "the answer was cut off", unread=True)


def noted(*pages, **rules):
    outputs = render(Transcript(pages), PROVENANCE, RenderRules(**rules))
    return {output.suffix: output.data.decode() for output in outputs}


def test_in_place_of_a_page_that_could_not_be_read_stands_a_line_that_says_so():
    pages = PageText(1, "one"), UNREAD, PageText(3, "three")
    line = "[page 2 could not be read: the answer was cut off]"
    assert noted(*pages) == {".md": f"one\n\n<!-- page 2 -->\n\n{line}\n\n<!-- page 3 -->\n\nthree\n"}
    assert noted(*pages, format="text") == {".txt": f"one\n\f{line}\n\fthree\n"}
    assert noted(*pages, pages="separate")[".p2.md"] == f"{line}\n"


def test_a_page_that_could_not_be_read_is_empty_in_json_with_a_note_and_null_by_a_schema():
    (data,) = noted(PageText(1, "one"), UNREAD, format="json").values()
    content = json.loads(data)
    note = "could not be read: the answer was cut off"
    assert content["text"] == "one"
    assert content["pages"][1] == {"page": 2, "text": "", "note": note}
    (data,) = noted(PageText(1, '{"a": 1}'), UNREAD, format="json", schema=True).values()
    assert json.loads(data) == [{"a": 1}, None]
    (data,) = noted(UNREAD, format="json", schema=True).values()
    assert json.loads(data) is None


def test_notes_of_pages_are_told_with_the_scan():
    pages = PageText(1, "", "blank"), UNREAD, PageText(3, "three")
    outputs = noted(*pages, front_matter=True, sidecar=True)
    notes = ["page 1: blank", "page 2: could not be read: the answer was cut off"]
    assert json.loads(outputs[".meta.json"])["notes"] == notes
    assert parted(outputs[".md"].encode())[0]["notes"] == notes
    outputs = noted(*pages, front_matter=True, pages="separate")
    assert ["notes" in parted(text.encode())[0] for text in outputs.values()] == [True, True, False]


def test_a_blank_page_stays_empty():
    blank = PageText(1, "", "blank")
    assert noted(blank) == {".md": "\n"}
    assert json.loads(noted(blank, format="json")[".json"])["pages"] == [
        {"page": 1, "text": "", "note": "blank"}
    ]


@given(ANY_TEXT)
def test_whatever_a_note_says_it_is_one_line(note):
    (text,) = noted(PageText(1, "", note, unread=True)).values()
    assert len(text.splitlines()) == 1
    assert text.startswith("[page 1 could not be read")


def test_page_numbers_sort_as_they_count():
    suffixes = list(rendered(*("text" for _ in range(100)), pages="separate"))
    assert suffixes == sorted(suffixes)
    assert suffixes[0] == ".p001.md"


@pytest.mark.parametrize(("format_", "suffix"), [("markdown", ".md"), ("text", ".txt")])
@pytest.mark.parametrize("text", ["", "\n", "  \n \n"])
def test_a_scan_without_text_is_a_single_newline(format_, suffix, text):
    assert rendered(text, format=format_) == {suffix: b"\n"}


def test_what_is_no_text_is_left_out_of_it():
    assert rendered("a\x00b\x1b[2Jc\td\r\ne\rf\x7f\x9b \x0c\n") == {".md": b"ab[2Jc\td\ne\nf\n"}


def test_a_page_cannot_contain_what_parts_pages_of_a_text():
    assert rendered("a\fb", "c", format="text") == {".txt": b"ab\n\fc\n"}


@pytest.mark.parametrize("language", ["Ünïcödé", "書類", "العربية", "🧾", "a\u200db"])
def test_text_in_every_language_is_kept(language):
    assert rendered(language) == {".md": f"{language}\n".encode()}


def test_lone_surrogates_are_replaced_and_pairs_are_what_they_stand_for():
    assert rendered("a\ud800b\udcffc\ud83e\uddfe") == {".md": "a�b�c🧾\n".encode()}


@given(st.lists(ANY_TEXT, min_size=1, max_size=4), st.sampled_from(["markdown", "text", "json"]),
       st.sampled_from(["joined", "separate"]), st.booleans())  # fmt: skip
def test_every_file_is_utf_8_and_ends_in_exactly_one_newline(texts, format_, pages, front_matter):
    outputs = rendered(*texts, format=format_, pages=pages, front_matter=front_matter, sidecar=True)
    for data in outputs.values():
        text = data.decode()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert "\0" not in text


# --- front matter


def parted(data):
    """Front matter as YAML sees it, and what follows."""
    start, front, body = data.decode().split("---\n", 2)
    assert start == ""
    return yaml.safe_load(front), body


@pytest.mark.parametrize("format_", ["markdown", "text"])
def test_front_matter_tells_where_the_text_comes_from(format_):
    (data,) = rendered("text", format=format_, front_matter=True).values()
    front, body = parted(data)
    assert body == "\ntext\n"
    assert front == {
        "scan": "scan.png",
        "inbox": "receipts",
        "sha256": "ab" * 32,
        "size": 6698,
        "received_at": "2026-03-09T14:05:06+01:00",
        "read_at": "2026-03-09T14:06:00+01:00",
        "engine": "ollama",
        "model": "qwen3.5:4b",
        "host": "http://localhost:11434",
        "recipe": "whole page, 1.6 megapixels",
        "seconds": 12.5,
        "tries": 1,
        "program": "dropscribe 0.1.0",
        "verdicts": ["accepted"],
    }


def test_the_sidecar_alone_has_the_history():
    history = ({"page": 1, "verdict": "loop"}, {"page": 1, "verdict": "accepted"})
    told = replace(PROVENANCE, history=history, options={"temperature": 0}, pictures=("1 x 2 PNG",), tokens=7)
    text, sidecar = rendered("text", provenance=told, front_matter=True, sidecar=True).values()
    front, _ = parted(text)
    facts = json.loads(sidecar)
    assert facts.pop("history") == list(history)
    assert facts == front
    assert (front["options"], front["pictures"], front["tokens"]) == ({"temperature": 0}, ["1 x 2 PNG"], 7)
    assert "prompt_tokens" not in front


def test_separate_pages_each_tell_which_they_are():
    outputs = rendered("one", "two", front_matter=True, pages="separate")
    assert [parted(data)[0]["page"] for data in outputs.values()] == [1, 2]


def test_the_name_of_a_scan_is_told_exactly_but_for_bytes_that_are_no_text():
    for raw, told in [
        (b"a\nb.png", "a\nb.png"),
        (b"\xff\xfe.png", r"\xff\xfe.png"),
        (b"C:\\x.png", r"C:\x.png"),
    ]:
        provenance = Provenance(os.fsdecode(raw), "inbox", "", 0)
        (data,) = rendered("text", provenance=provenance, front_matter=True).values()
        assert parted(data)[0]["scan"] == told


@pytest.mark.parametrize(
    "hostile", [HOSTILE, "---", "\u2028---\u2028", "\x85---\x85", "{a: b}", "!!python/name:os", "\u202e"]
)
def test_nothing_breaks_out_of_the_front_matter(hostile):
    provenance = Provenance(hostile, hostile, hostile, 1, model=hostile, recipe=hostile, verdicts=(hostile,))
    (data,) = rendered("text", provenance=provenance, front_matter=True).values()
    front, body = parted(data)
    assert body == "\ntext\n"
    assert front["scan"] == front["inbox"] == front["model"] == hostile
    assert front["verdicts"] == [hostile]
    assert not set(data.decode()) & set("\u2028\x85\u202e")


@given(ANY_TEXT, ANY_TEXT)
def test_front_matter_is_the_same_values_whatever_they_are(model, text):
    provenance = Provenance("scan.png", "inbox", "", 0, model=model)
    (data,) = rendered(text, provenance=provenance, front_matter=True).values()
    front, _ = parted(data)
    expected = model.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert front.get("model", "") == expected


# --- JSON and sidecar


def test_json_has_the_text_its_pages_and_on_request_its_provenance():
    (data,) = rendered("one", "two", format="json", front_matter=True).values()
    content = json.loads(data)
    assert content["text"] == "one\n\ntwo"
    assert content["pages"] == [{"page": 1, "text": "one"}, {"page": 2, "text": "two"}]
    assert content["provenance"]["scan"] == "scan.png"
    (data,) = rendered("one", format="json").values()
    assert set(json.loads(data)) == {"text", "pages"}


def test_json_by_a_schema_is_the_models_own_and_nothing_else():
    answer = '{"total": 12.5, "shop": "Bäcker", "items": []}'
    (data,) = rendered(answer, format="json", schema=True, front_matter=True).values()
    assert data.decode() == '{\n  "total": 12.5,\n  "shop": "Bäcker",\n  "items": []\n}\n'


def test_json_by_a_schema_of_several_pages_is_a_list_in_which_a_page_without_text_is_null():
    (data,) = rendered('{"a": 1}', "", '{"a": 3}', format="json", schema=True).values()
    assert json.loads(data) == [{"a": 1}, None, {"a": 3}]


@pytest.mark.parametrize("answer", ["not json", '{"a": NaN}'])
def test_what_is_not_json_is_never_filed_as_such(answer):
    with pytest.raises(ValueError, match=r".+"):
        rendered(answer, format="json", schema=True)


@pytest.mark.parametrize("pages", ["joined", "separate"])
def test_the_sidecar_is_one_file_about_the_whole_scan(pages):
    transcript = Transcript((PageText(1, "one"), PageText(2, "two", "the second reader disagrees")))
    outputs = render(transcript, PROVENANCE, RenderRules(sidecar=True, pages=pages))
    assert [output.suffix for output in outputs].count(".meta.json") == 1
    facts = json.loads(outputs[-1].data)
    assert facts["scan"] == "scan.png"
    assert facts["notes"] == ["page 2: the second reader disagrees"]
    assert "page" not in facts


@given(ANY_TEXT)
def test_a_sidecar_is_json_whatever_the_scan_is_called(name):
    outputs = rendered("text", provenance=Provenance(name, "inbox", "", 0), sidecar=True)
    assert json.loads(outputs[".meta.json"])["inbox"] == "inbox"


# --- answers that follow a schema, as Markdown

RECEIPT = {
    "vendor": "Rewe\n# Markt",
    "scan": "theirs",
    "seller": {"city": None, "street": None},
    "items": [{"what": "milk", "price": 1.5}, {"what": "bread", "price": None}],
    "tags": ["food", "paid"],
}
COLUMNS = {name: (name,) for name in RECEIPT if name != "seller"} | {"seller.city": ("seller", "city")}


def test_an_answer_is_a_list_of_its_fields_for_those_who_read_it():
    text = rendered(json.dumps(RECEIPT), schema=True, columns=COLUMNS)[".md"].decode()
    assert text.splitlines() == [
        "- **vendor**: Rewe # Markt",
        "- **scan**: theirs",
        "- **items**:",
        "  -",
        "    - **what**: milk",
        "    - **price**: 1.5",
        "  -",
        "    - **what**: bread",
        "- **tags**:",
        "  - food",
        "  - paid",
    ]


def test_the_fields_of_an_answer_stand_in_the_front_matter_above_our_own():
    filed = rendered(json.dumps(RECEIPT), schema=True, columns=COLUMNS, front_matter=True)[".md"]
    facts, text = parted(filed)
    assert list(facts)[:5] == list(COLUMNS)
    assert facts["vendor"] == "Rewe\n# Markt"
    assert facts["scan"] == "theirs"
    assert facts["_scan"] == "scan.png"
    assert facts["seller.city"] is None
    assert facts["items"] == RECEIPT["items"]
    assert text.startswith("\n- **vendor**")


def test_each_separate_page_has_its_own_fields():
    answers = [json.dumps({"vendor": name}) for name in ("Rewe", "Aldi")]
    rules = {"schema": True, "columns": {"vendor": ("vendor",)}, "front_matter": True}
    one, other = rendered(*answers, pages="separate", **rules).values()
    assert [parted(one)[0]["vendor"], parted(other)[0]["vendor"]] == ["Rewe", "Aldi"]
    (joined,) = rendered("", *answers, **rules).values()
    assert parted(joined)[0]["vendor"] == "Rewe"


@given(st.dictionaries(ANY_TEXT, ANY_TEXT | st.none() | st.integers(), max_size=4))
def test_whatever_a_schema_calls_its_fields_the_front_matter_reads_back(answer):
    answer = json.loads(json.dumps(answer).encode("utf-8", "replace"))
    assume(not any("\ud800" <= char <= "\udfff" for char in json.dumps(answer, ensure_ascii=False)))
    columns = {name: (name,) for name in answer}
    facts, _ = parted(rendered(json.dumps(answer), schema=True, columns=columns, front_matter=True)[".md"])
    assert {name: facts[name] for name in answer} == answer
