"""The stand-in answers as recorded from two real Ollama servers, 0.33.0 and 0.24.0."""

import io
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.standin import BEFORE_LLAMA_SERVER, Standin
from tests.standin.answers import pieces, shaped
from tests.standin.client import JSON, NDJSON, TEXT_ONLY, ask, connected, get, question, shot

COUNTERS = ["total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count"]


@pytest.fixture
def server():
    with Standin() as running:
        yield running


@pytest.fixture
def before():
    with Standin(version=BEFORE_LLAMA_SERVER) as running:
        yield running


def test_a_streamed_answer_is_lines_of_pieces_and_a_last_line_with_the_counters(server):
    answer = ask(server, question(shot(2047)))
    assert (answer.status, answer.headers["Content-Type"]) == (200, NDJSON)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    *lines, last = answer.lines
    assert {tuple(line) for line in lines} == {("model", "created_at", "message", "done")}
    assert [line["message"]["content"] for line in lines][:4] == ["scan", " 2047\n", "Read", " it.\n"]
    assert (last["message"]["content"], last["done"], last["done_reason"]) == ("", True, "stop")
    assert list(last)[5:] == [*COUNTERS, "eval_duration"]
    assert last["eval_count"] == len(lines) + 1


def test_an_answer_that_is_not_streamed_is_one_object(server):
    whole = ask(server, question(shot(2047), stream=False))
    assert (whole.status, whole.headers["Content-Type"]) == (200, JSON)
    assert whole.headers["Content-Length"] == str(len(whole.body))
    assert whole.json["message"]["content"] == ask(server, question(shot(2047))).text
    assert whole.json["done_reason"] == "stop"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_it_reads_the_pixels_and_repeats_the_first_line_of_the_prompt(server, kind):
    answer = ask(server, question(shot(17, kind), prompt="\n Receipts:\nwrite them out "))
    assert answer.text.splitlines()[:2] == ["scan 17", "Receipts:"]
    assert answer.text == ask(server, question(shot(17, kind), prompt="Receipts:")).text
    assert answer.text != ask(server, question(shot(18, kind), prompt="Receipts:")).text


def test_a_picture_without_a_mark_is_told_by_its_size(server):
    file = io.BytesIO()
    Image.new("RGB", (70, 90), "white").save(file, "PNG")
    assert ask(server, question(file.getvalue())).text.startswith("picture 70x90\nRead it.\n")


def test_a_reader_replaces_what_it_says():
    with Standin(reader=lambda request: f"{request.mark} {request.prompt}!") as server:
        assert ask(server, question(shot(5), prompt="hello")).text == "5 hello!"


def test_a_model_that_can_think_does_so_unless_told_not_to(server):
    thinking = ask(server, question(shot(1), think=None, stream=False)).json["message"]
    assert thinking["thinking"]
    assert thinking["content"].startswith("scan 1\n")
    assert "thinking" not in ask(server, question(shot(1), think=False, stream=False)).json["message"]


@given(st.text())
def test_the_pieces_of_a_text_are_the_text(text):
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("options", "reason", "text"),
    [
        ({"num_predict": 3}, "length", "scan 7\nRead"),
        ({"num_predict": 0}, "length", ""),
        ({"stop": ["zzz", " it"]}, "stop", "scan 7\nRead"),
        ({"no_such": 1, "seed": None, "num_predict": 1.0}, "length", "scan"),
    ],
)
def test_limits_and_stop_strings_end_an_answer(server, options, reason, text):
    answer = ask(server, question(shot(7), options=options, stream=False)).json
    assert (answer["message"]["content"].rstrip(), answer["done_reason"]) == (text, reason)


def test_the_other_endpoints(server, before):
    assert (get(server, "/").body, get(server, "/").headers["Content-Type"]) == (
        b"Ollama is running",
        "text/plain; charset=utf-8",
    )
    assert ask(server, None, "/", "HEAD").headers["Content-Length"] == "17"
    assert (get(server, "/api/version").json, get(before, "/api/version").json) == (
        {"version": "0.33.0"},
        {"version": "0.24.0"},
    )
    now, then = (get(one, "/api/tags").json["models"] for one in (server, before))
    assert [tag["name"] for tag in now] == list(server.models)
    assert now[1]["capabilities"] == ["completion", "vision"]
    assert now[3]["remote_host"] == "https://ollama.com:443"
    assert not any("capabilities" in tag or "context_length" in tag["details"] for tag in then)
    long = ask(server, {"model": "QWEN3.5:4B"}, "/api/show")
    assert (long.headers["Content-Type"], long.headers["Transfer-Encoding"]) == (JSON, "chunked")
    shown = long.json
    assert (shown["model_info"]["general.architecture"], shown["details"]["family"]) == ("qwen35", "qwen35")
    missing = ask(server, {"model": "nope"}, "/api/show")
    assert (missing.status, missing.json["error"]) == (404, "model 'nope:latest' not found")


def test_loading_and_unloading(server):
    def loaded():
        return [(one["name"], one["context_length"]) for one in get(server, "/api/ps").json["models"]]

    assert ask(server, TEXT_ONLY | {"messages": []}).json["done_reason"] == "load"
    assert loaded() == [("qwen3.5:4b", 4096)]
    ask(server, TEXT_ONLY | {"options": {"num_ctx": 8192}, "keep_alive": -1})
    assert loaded() == [("qwen3.5:4b", 8192)]
    ask(server, TEXT_ONLY | {"options": {"num_ctx": 100}})
    assert loaded() == [("qwen3.5:4b", 2048)]
    assert ask(server, TEXT_ONLY | {"messages": [], "keep_alive": 0}).json["done_reason"] == "unload"
    assert loaded() == []
    ask(server, TEXT_ONLY | {"keep_alive": 0})
    server.wait_for(lambda received: received[-1].outcome)
    ask(server, TEXT_ONLY | {"model": "tinytext:1b", "options": {"num_ctx": 100}})
    assert loaded() == [("tinytext:1b", 100)]


def test_a_pull_tells_its_progress_and_installs(server):
    pulled = ask(server, {"model": "glm-ocr"}, "/api/pull")
    states = [line["status"] for line in pulled.lines]
    assert (pulled.headers["Content-Type"], states[0], states[-1]) == (NDJSON, "pulling manifest", "success")
    layer = pulled.lines[-4]
    assert layer["completed"] == layer["total"] > 0
    assert ask(server, question(shot(8), model="glm-ocr")).text.startswith("scan 8\n")
    server.registry = {}
    assert ask(server, {"model": "nope"}, "/api/pull").lines[-1]["error"].startswith("pull model manifest:")
    assert ask(server, {"model": "nope", "stream": False}, "/api/pull").status == 500


SCHEMAS = [
    {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    {
        "type": "object",
        "properties": {
            "date": {"type": ["string", "null"], "format": "date"},
            "total": {"anyOf": [{"type": "null"}, {"type": "number", "maximum": 10}]},
            "kind": {"enum": ["receipt", "letter"]},
            "paid": {"type": "boolean"},
            "items": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/item"}},
        },
        "required": ["date", "total", "kind", "paid", "items"],
        "$defs": {"item": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}},
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_answer_has_the_shape_that_was_asked_for(server, schema):
    answer = ask(server, question(shot(2047), format=schema))
    jsonschema.validate(json.loads(answer.text), schema)


def test_an_answer_in_json_holds_the_text(server):
    text = ask(server, question(shot(12))).text
    assert json.loads(ask(server, question(shot(12), format="json")).text) == {"text": text}
    assert json.loads(shaped(text, SCHEMAS[0], 12)) == {"text": text}


def test_a_connection_is_kept_and_a_body_may_come_in_chunks(server):
    body = json.dumps(question(shot(6), stream=False)).encode()
    with connected(server) as connection:
        connection.request("GET", "/api/version")
        connection.getresponse().read()
        kept = connection.sock
        parts = (body[at : at + 1000] for at in range(0, len(body), 1000))
        connection.request(
            "POST", "/api/chat", parts, encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        assert json.loads(connection.getresponse().read())["message"]["content"].startswith("scan 6\n")
        assert connection.sock is kept
