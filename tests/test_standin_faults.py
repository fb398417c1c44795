"""The stand-in misbehaves on request."""

import gzip
import http.client
import json
from pathlib import Path

import pytest

from tests.standin import BEFORE_LLAMA_SERVER, Standin
from tests.standin.client import ask, asked, get, loaded, outcome, question, read_to, shot
from tests.standin.faults import EARLY, LATE

DIED = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error,"
EOF = "an error was encountered while running the model: unexpected EOF"
UNKNOWN = (
    "llama-server process has terminated: exit status 1: error loading model: unknown model architecture"
)


@pytest.fixture
def server():
    with Standin() as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("http", 500, "internal server error"),
        ("busy", 503, "server busy, please try again.  maximum pending requests exceeded"),
        ("loading", 500, "unexpected server status: llm server loading model"),
        ("out_of_memory", 500, "model requires more system memory"),
        ("runner_died", 500, DIED),
        ("eof_500", 500, EOF),
        ("not_found", 404, "model 'qwen3.5:4b' not found"),
        ("unauthorized", 401, "unauthorized"),
        ("mllama_500", 500, UNKNOWN),
        ("context_400", 400, '{"error":{"code":400,"message":"request (4223 tokens) exceeds'),
        ("load_picture_400", 400, '{"error":{"code":400,"message":"Failed to load image or audio file"'),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_faults_with_a_status_of_their_own(server, kind, status, text, stream):
    server.script(kind)
    answer = ask(server, question(shot(1), stream=stream))
    assert answer.status == status
    assert answer.json["error"].startswith(text)
    assert outcome(server) == f"fault:{kind}"
    assert ask(server, question(shot(1), stream=stream)).status == 200


def test_any_status_body_and_header_can_be_had(server):
    headers = {"Retry-After": "7", "Content-Type": "text/html"}
    server.script("http", status=502, body="<h1>Bad gateway</h1>", headers=headers, path="*")
    answer = get(server, "/api/version")
    assert (answer.status, answer.body) == (502, b"<h1>Bad gateway</h1>")
    assert headers.items() <= answer.headers.items()
    server.script("redirect", url="http://127.0.0.1:9/elsewhere")
    moved = ask(server, question())
    assert (moved.status, moved.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")


def test_before_llama_server_the_same_troubles_have_other_words():
    with Standin(version=BEFORE_LLAMA_SERVER) as server:
        server.script("context_400")
        server.script("load_picture_400")
        answers = [ask(server, question(shot(1))) for _ in range(2)]
    assert [(answer.status, answer.json["error"]) for answer in answers] == [
        (400, "the input length exceeds the context length"),
        (500, "Failed to create new sequence: failed to process inputs: image: unknown format"),
    ]


@pytest.mark.parametrize(
    ("kind", "done", "text"),
    [
        ("no_done", False, "scan 9\nRead it.\n"),
        ("empty", True, ""),
        ("thinking_only", True, ""),
        ("refusal", True, "I'm sorry, but I can't"),
        ("echo_prompt", True, "Read it."),
        ("wrap", True, "Here is the text:\n\n```\nscan 9\n"),
        ("length", True, "scan 9\nRead it.\n"),
        ("loop", True, "scan 9\n again0 again1 again\n again0 again1 again\n"),
        ("repeat_token_guard", False, " INVOICE" * 31),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_faults_of_the_answer_come_with_a_200(server, kind, done, text, stream):
    server.script(kind)
    answer = ask(server, question(shot(9), stream=stream, options={"num_predict": 60}))
    assert answer.status == 200
    assert answer.text.startswith(text) if text else answer.text == ""
    last = answer.lines[-1]
    reason = {"length": "length", "loop": "length"}.get(kind, "stop")
    assert (last["done"], last.get("done_reason")) == ((True, reason) if done else (False, None))
    assert outcome(server) == f"fault:{kind}"
    if kind == "thinking_only":
        assert any(line["message"].get("thinking") for line in answer.lines)


def test_a_fixed_text_is_said_as_it_is(server):
    server.script("text", text="12,80 €\n<b>\u2028")
    assert ask(server, question(shot(9))).text == "12,80 €\n<b>\u2028"


def test_a_wrong_text_is_said_until_the_prompt_says_something(server):
    server.script("stubborn", text="wrong", times=None, body="look again")
    assert ask(server, question(shot(9))).text == "wrong"
    assert ask(server, question(shot(9))).text == "wrong"
    assert ask(server, question(shot(9), prompt="Read it, look again.")).text.startswith("scan 9\n")


def test_a_loop_of_one_piece_is_ended_by_the_server(server):
    server.script("loop", period=1, lines=0)
    answer = ask(server, question(shot(9)))
    assert answer.text == " again\n" * 31
    assert not answer.lines[-1]["done"]


def test_an_error_line_under_a_200(server):
    server.script("error_line", lines=3, times=2)
    lines = ask(server, question(shot(9))).lines
    assert [list(line) for line in lines[2:]] == [["model", "created_at", "message", "done"], ["error"]]
    assert len(lines) == 4
    whole = ask(server, question(shot(9), stream=False))
    assert (whole.status, whole.json) == (500, {"error": EOF})


def test_a_line_that_is_no_json(server):
    server.script("malformed")
    first, second, broken = ask(server, question(shot(9))).body.splitlines()
    assert json.loads(first)["message"]["content"] + json.loads(second)["message"]["content"] == "scan 9\n"
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(broken)


@pytest.mark.parametrize("kind", ["reset", "close"])
@pytest.mark.parametrize("lines", [0, 2])
def test_a_connection_that_breaks_in_the_middle(server, kind, lines):
    server.script(kind, lines=lines)
    gone = ConnectionResetError if kind == "reset" else (http.client.IncompleteRead, ConnectionError)
    with pytest.raises(gone):
        ask(server, question(shot(9)))
    assert outcome(server) == f"fault:{kind}"
    assert ask(server, question(shot(9))).status == 200


def test_a_connection_that_breaks_before_any_answer(server):
    server.script("reset_before", path="/api/tags")
    with pytest.raises(ConnectionResetError):
        get(server, "/api/tags")
    assert server.received[0].status == 0


@pytest.mark.parametrize(("kind", "answered"), [("silence_before", b""), ("silence_mid", b" 9\\n")])
def test_silence_lasts_until_the_client_leaves(server, kind, answered):
    server.script(kind)
    with asked(server, question(shot(9))) as connection:
        if answered:
            read_to(connection, answered)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            read_to(connection, b"more")
    last = server.wait_for(lambda received: received[-1].outcome)[-1]
    assert (last.outcome, last.cut) == (f"fault:{kind}", True)


@pytest.mark.parametrize(
    ("kind", "answered"), [("early_headers", b"\r\n\r\n"), ("held_open", b'"done":true')]
)
def test_half_an_http_answer_lasts_until_the_client_leaves(server, kind, answered):
    server.script(kind, gap=3600)
    with asked(server, question(shot(9))) as connection:
        read_to(connection, answered)
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            read_to(connection, b"scan" if kind == "early_headers" else b"0\r\n\r\n")
    assert server.wait_for(lambda received: received[-1].outcome)[-1].cut


@pytest.mark.parametrize("kind", ["drip", "slow_headers"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_drips(server, kind, stream):
    server.script(kind, gap=0)
    assert ask(server, question(shot(9), stream=stream)).text.startswith("scan 9\n")
    server.script(kind, gap=3600)
    with asked(server, question(shot(9), stream=stream)):
        server.wait_for(lambda received: len(received) == 2)
    assert outcome(server) == f"fault:{kind}"


@pytest.mark.parametrize("stream", [True, False])
def test_a_flood_in_one_line(server, stream):
    server.script("flood", size=3_000_000)
    answer = ask(server, question(shot(9), stream=stream))
    assert len(max(answer.body.splitlines(), key=len)) > 3_000_000
    assert answer.lines[-1]["done_reason"] == "stop"
    server.script("flood", size=None)
    with asked(server, question(shot(9), stream=stream)) as connection:
        read_to(connection, b"x" * 60_000)
    assert server.wait_for(lambda received: received[-1].outcome)[-1].cut


def test_a_small_body_that_unpacks_to_a_large_one(server):
    server.script("gzip_bomb", size=5_000_000)
    answer = ask(server, question(shot(9)))
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 10_000
    assert len(gzip.decompress(answer.body)) > 5_000_000


def test_a_fault_strikes_whom_it_was_meant_for(server):
    server.script("runner_died", mark=17, times=None)
    server.script("busy", model="tinytext:1b", times=1)
    server.script("refusal", every=3, times=2)
    assert [ask(server, question(shot(17))).status for _ in range(3)] == [500] * 3
    assert [ask(server, question(model="tinytext:1b")).status for _ in range(2)] == [503, 200]
    texts = [ask(server, question(shot(number))).text.split("\n")[0] for number in range(8)]
    refused = [number for number, text in enumerate(texts) if not text.startswith("scan")]
    assert refused == [1, 4]  # one request for the text model went before


def test_faults_follow_each_other_and_can_be_taken_back(server):
    server.script("busy", times=2, skip=1)
    server.script("not_found", times=None)
    statuses = [ask(server, question()).status for _ in range(4)]
    assert statuses == [404, 503, 503, 404]
    ask(server, None, "/standin/faults", "DELETE")
    assert ask(server, question()).status == 200


def test_faults_are_asked_for_over_http_too(server):
    fault = {"kind": "http", "status": 429, "headers": {"Retry-After": "1"}, "mark": 3}
    assert ask(server, [fault], "/standin/faults").status == 200
    assert [ask(server, question(shot(number))).status for number in (2, 3, 3)] == [200, 429, 200]
    assert (
        "no fault is called 'nonsense'" in ask(server, {"kind": "nonsense"}, "/standin/faults").json["error"]
    )
    assert ask(server, {"kind": "busy", "often": 3}, "/standin/faults").status == 400
    assert len(get(server, "/standin/received").json) == 3


def test_no_fault_is_without_a_test():
    tests = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in EARLY | LATE if f'"{kind}"' not in tests] == []


def test_a_fault_that_cannot_be_is_refused(server):
    with pytest.raises(ValueError, match="can only strike /api/chat"):
        server.script("drip", path="/api/tags")


@pytest.mark.parametrize("kind", ["runner_died", "eof_500", "out_of_memory", "error_line"])
def test_a_runner_that_died_has_to_load_again(server, kind):
    ask(server, question())
    assert loaded(server) == ["qwen3.5:4b"]
    server.script(kind)
    ask(server, question())
    assert loaded(server) == []
