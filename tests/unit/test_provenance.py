"""How a text came about: in the ledger always, beside the text when asked, from what a real server received."""

import hashlib
import json

import yaml

from dropscribe import provenance
from dropscribe.ledger import Page, Try
from dropscribe.pages import reading_rules
from tests.answers.rooms import a_room, asking
from tests.folders import PROMPT
from tests.standin import Standin

PROMPT_SHA256 = hashlib.sha256(PROMPT.encode()).hexdigest()[:16]


def read(tmp_path, decoding, *faults, **rules):
    """The files, the ledger's tries and page, and the two requests that a scan took."""
    with Standin() as server, asking(server) as engine, a_room(tmp_path, decoding, **rules) as room:
        for fault in faults:
            server.script(fault)
        assert room.read(engine=engine).kind == "done"
        requests = [each for each in server.received if each.path == "/api/chat"]
        page = room.ledger.pages(1, reading_rules(room.inbox))[1]
        return room.files, room.ledger.tries(1), page, requests, server


def test_the_ledger_tells_of_each_try_what_was_asked_and_what_it_cost(tmp_path, decoding):
    _, tries, page, requests, server = read(tmp_path, decoding, "refusal", "length")
    asked = [*(tried.asked for tried in tries), page.asked]
    assert [tried.verdict for tried in tries] == ["refusal", "length"]
    assert (page.verdict, page.text) == ("accepted", "")
    for one, request in zip(asked, requests, strict=True):
        assert one.model == request.model
        assert one.options == request.options
        assert one.digest
        assert (one.host, one.server) == (server.url, server.version)
        assert one.prompt_sha256 == PROMPT_SHA256
        assert one.sent == ((*request.picture_size, request.picture_format, request.picture_bytes),)
        assert (one.bands, one.turn) == (1, 0)
        assert 0 <= one.tokens - request.pieces <= 1  # the last one ends the answer
        assert one.prompt_tokens > 0
    assert asked[0].changed == {}
    assert asked[1].changed == {"temperature": 0.1, "seed": 2}
    assert asked[2].changed == {"temperature": 0.1, "seed": 2, "num_predict": 8192, "num_ctx": 12288}


def test_the_sidecar_tells_it_whole_and_the_front_matter_in_short(tmp_path, decoding):
    output = {"front_matter": True, "sidecar": True}
    files, _, page, requests, server = read(tmp_path, decoding, "empty", output=output)
    sidecar = json.loads(files["done/a.meta.json"])
    front = yaml.safe_load(files["done/a.md"].decode().split("---\n")[1])
    history = sidecar.pop("history")
    assert front == sidecar
    assert front["server"] == server.version
    assert front["model"] == "qwen3.5:4b"
    assert front["model_digest"] == page.digest
    assert front["prompt_sha256"] == PROMPT_SHA256
    assert front["options"] == requests[1].options
    assert front["pictures"] == ["{} x {} PNG".format(*requests[1].picture_size)]
    assert front["tokens"] == page.asked.tokens
    assert front["prompt_tokens"] == page.asked.prompt_tokens
    assert (front["tries"], front["verdicts"]) == (2, ["accepted"])
    assert [(each["page"], each["verdict"]) for each in history] == [(1, "empty"), (1, "accepted")]
    assert history[1]["changed"] == {"temperature": 0.1, "seed": 2}
    for name in (
        "model",
        "model_digest",
        "server",
        "host",
        "prompt_sha256",
        "pictures",
        "tokens",
        "prompt_tokens",
    ):
        assert history[1][name] == front[name]
    assert "changed" not in history[0]


def test_a_page_that_nobody_was_asked_about_has_little_to_tell():
    assert provenance.of_try(2, "", "blank", 0.0, None) == {"page": 2, "verdict": "blank"}


def test_what_went_wrong_before_anybody_was_asked_is_told_with_its_page():
    told = provenance.of_try(0, "decoding", "broke down", 0.2, None)
    assert told == {"page": 0, "verdict": "broke down", "recipe": "decoding", "seconds": 0.2}


def test_of_several_pages_the_tries_are_told_page_by_page_each_in_its_order():
    def page(number):
        return Page(number, "r", "", "accepted", "m", "d", "h", "by m", 1.0, 10.0 - number)

    def refused(number, verdict):
        return Try(number, "by m", verdict, "", "", 1.0, 5.0)

    told = provenance.of_pages(
        [page(1), page(2)], [refused(2, "loop"), refused(1, "empty"), refused(1, "echo")]
    )
    assert [(each["page"], each["verdict"]) for each in told["history"]] == [
        (1, "empty"), (1, "echo"), (1, "accepted"), (2, "loop"), (2, "accepted"),
    ]  # fmt: skip
