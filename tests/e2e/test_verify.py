"""`dropscribe try --verify`: the embedded engine looks for what the model said on the same page."""

import json
import re

import pytest

from tests.e2e.harness import Household
from tests.reading_pictures.printed import LINES, paper, with_words
from tests.standin import Standin

pytest.importorskip("rapidocr")

INVENTED = (
    "The shipment left the warehouse before noon although nobody had signed for any of the heavy boxes."
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    image = paper()
    for number, line in enumerate(LINES):
        image = with_words(image, line, (120, 200 + 60 * number), height=34)
    path = tmp_path_factory.mktemp("page") / "page.png"
    image.save(path)
    return path


@pytest.fixture
def tried(tmp_path, page):
    """What trying the page prints when the model answers with a text."""

    def of(answer, **each):
        with Standin(reader=lambda _: answer) as server:
            home = Household(tmp_path, server.url, each={"inbox": each})
            code, out, err = home.run("try", str(page), "--verify")
            prompts = {request.prompt for request in server.received if request.path == "/api/chat"}
            asked = {prompt.partition("\n\n")[0] for prompt in prompts}  # a schema stands below
            assert asked <= {"Prompt of inbox\nRead all text."}  # nothing of what the other engine read
        return code, out, err

    return of


def test_a_true_text_is_told_to_be_found_and_stands_alone_on_standard_output(tried):
    code, out, err = tried("\n".join(LINES))
    assert (code, out) == (0, "\n".join(LINES) + "\n")
    assert err == "page 1: every passage was also found by an independent engine\n"


@pytest.mark.parametrize(
    ("answer", "told"), [(LINES[1], "every passage was also found"), (INVENTED, "not found on the page")]
)
def test_of_an_answer_that_follows_a_schema_only_the_values_are_looked_for(tried, tmp_path, answer, told):
    (tmp_path / "form.json").write_text(json.dumps({"properties": {"line": {"type": "string"}}}))
    code, out, err = tried(answer, output={"format": "json", "schema": str(tmp_path / "form.json")})
    assert (code, json.loads(out)) == (0, {"line": answer})
    assert err.startswith(f"page 1: {told}")
    assert err.count("\n") == 1


def test_what_the_model_made_up_left_out_and_miscounted_is_quoted(tried):
    code, _, err = tried("\n".join([*LINES[:1], INVENTED, *LINES[3:]]).replace("47", "41"))
    assert code == 0
    (quoted,) = re.findall(r'^page 1: not found on the page: "(.*)"$', err, re.MULTILINE)
    assert quoted in INVENTED
    assert len(quoted) > 0.9 * len(INVENTED)
    (missed,) = re.findall(r'^page 1: on the page, but not in the text: "(.*)"$', err, re.MULTILINE)
    assert missed in " ".join(LINES[1:3])
    assert len(missed) > 60
    assert "page 1: numbers that were not found on the page: 41\n" in err


def test_the_embedded_engine_does_not_check_itself(tried):
    code, _, err = tried("", engine="ocr")
    assert code == 2
    assert "cannot check itself" in err
