"""The `ollama` engine against a server that misbehaves in every way real ones do."""

import contextlib
import json
import socket
import threading
import time

import pytest

from dropscribe.errors import BadAnswer, Misconfigured, Stopped, Unavailable
from dropscribe.prompts import FILL
from dropscribe.reading.ask import ask
from dropscribe.reading.engines.ollama import OllamaEngine
from dropscribe.reading.engines.wire import Timeouts
from dropscribe.reading.judge import judge
from dropscribe.stop import Stop
from tests.engines.contract import picture, recipe
from tests.standin import BEFORE_LLAMA_SERVER, Model, Standin

# Far below what a test machine needs to hang, far above what it needs to answer.
SHORT = Timeouts(connect=1.0, first_token=0.4, silence=0.4, total=20.0)


@pytest.fixture
def server():
    with Standin() as standin:
        yield standin


@pytest.fixture
def stop():
    return Stop()


@pytest.fixture
def engine(server):
    with_patience = OllamaEngine(server.url, Timeouts())
    yield with_patience
    with_patience.close()


@pytest.fixture
def hasty(server):
    impatient = OllamaEngine(server.url, SHORT)
    yield impatient
    impatient.close()


def chats(server):
    return [request for request in server.received if request.path == "/api/chat"]


def verdict_of(engine, stop, **changes):
    wanted = recipe(**changes)
    return judge(engine.ask(picture(), wanted, stop=stop), prompt=wanted.prompt, repeats=0.3).name


def test_what_is_sent_is_streamed_unthinking_and_bounded(server, engine, stop):
    engine.ask(picture(12), recipe(keep_alive="30m"), stop=stop)
    (request,) = chats(server)
    assert request.stream is True
    assert request.think is False
    assert request.options == {"temperature": 0, "num_ctx": 8192, "num_predict": 512}
    assert request.keep_alive == "30m"
    assert request.prompt == "Read all text.\nChange nothing."
    assert (request.mark, request.pictures, request.picture_format) == (12, 1, "PNG")
    assert request.headers["accept-encoding"] == "identity"


def test_a_prompt_that_looks_like_our_own_marker_stays_a_prompt(server, engine, stop):
    engine.ask(picture(12), recipe(prompt="write @picture@ here"), stop=stop)
    (request,) = chats(server)
    assert request.prompt == "write @picture@ here"
    assert request.mark == 12


def test_a_schema_is_sent_as_format(server, engine, stop):
    schema = {"type": "object", "properties": {"total": {"type": "string"}}, "required": ["total"]}
    engine.ask(picture(), recipe(schema=schema), stop=stop)
    assert chats(server)[0].format == schema


def test_the_connection_is_kept(server, engine, stop):
    threads = set()
    for number in range(3):
        engine.ask(picture(number), recipe(), stop=stop)
        threads.add(engine._wire._sockets and next(iter(engine._wire._sockets)))
    assert len(threads) == 1


# --- 200 that is no success


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("no_done", "not done"),
        ("close", None),
        ("malformed", "not done"),
        ("repeat_token_guard", {"not done", "loop"}),
        ("empty", "empty"),
        ("thinking_only", "thinking only"),
        ("length", "length"),
        ("refusal", "refusal"),
        ("echo_prompt", "echo"),
        ("wrap", "accepted"),
    ],
)
def test_an_answer_is_worth_what_its_verdict_says(server, engine, stop, fault, verdict):
    server.script(fault)
    if verdict is None:
        with pytest.raises(Unavailable):
            engine.ask(picture(), recipe(), stop=stop)
    else:
        allowed = verdict if isinstance(verdict, set) else {verdict}
        assert verdict_of(engine, stop) in allowed
    assert verdict_of(engine, stop) == "accepted"


YOGHURT = {"what": "Yoghurt", "quantity": "1", "unit": "cup", "price": "0.39", "tax": None, "currency": "EUR"}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_receipt_with_a_dozen_equal_items_is_no_loop_in_json(server, engine, stop, indent):
    text = json.dumps({"items": [YOGHURT] * 12, "total": "4.68"}, indent=indent)
    server.script("text", text=text)
    answer = engine.ask(picture(), recipe(schema={"type": "object"}), stop=stop)
    assert answer.text == text
    assert judge(answer, prompt=FILL, repeats=0.3, filled=True).name == "accepted"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("unit", [YOGHURT, dict.fromkeys(YOGHURT), "Yoghurt 0.39", "and so on and on" * 2000])
def test_an_endless_list_of_items_is_cut_in_json(server, engine, stop, unit, indent):
    text = json.dumps({"items": [unit] * (2000 if len(unit) < 99 else 1)}, indent=indent)
    server.script("text", text=text)
    answer = engine.ask(picture(), recipe(schema={"type": "object"}), stop=stop)
    assert answer.cut == "loop"
    assert len(answer.text) < 5000


@pytest.mark.parametrize("blank", [" ", "\n", "\t", " \n"])
def test_endless_blanks_in_json_are_cut(server, engine, stop, blank):
    server.script("text", text='{"items": [' + blank * 9000)
    assert engine.ask(picture(), recipe(schema={"type": "object"}), stop=stop).cut == "loop"


def test_an_endless_loop_is_cut_while_it_runs(server, engine, stop):
    server.script("loop", times=None)
    answer = engine.ask(picture(), recipe(options={"num_ctx": 65536, "num_predict": 60000}), stop=stop)
    assert answer.cut == "loop"
    (request,) = server.wait_for(lambda got: [r for r in got if r.path == "/api/chat" and r.outcome])[-1:]
    assert request.cut
    assert request.pieces < 2000


def test_reading_ends_with_done_whatever_the_server_does_afterwards(server, hasty, stop):
    lines = [
        {"message": {"content": "Total "}, "done": False},
        {"message": {"content": "12"}, "done": True, "done_reason": "stop"},
        {"message": {"content": " and what nobody wrote"}, "done": True},
    ]
    server.script("http", status=200, body="".join(json.dumps(line) + "\n" for line in lines))
    answer = hasty.ask(picture(), recipe(), stop=stop)
    assert (answer.text, answer.done) == ("Total 12", True)
    server.script("held_open")
    answer = hasty.ask(picture(9), recipe(), stop=stop)
    assert (answer.text.split()[:2], answer.done_reason) == (["scan", "9"], "stop")
    assert hasty.ask(picture(10), recipe(), stop=stop).done


def test_a_character_whose_halves_come_in_two_lines_is_whole(server, engine, stop):
    lines = [("smile \ud83d", False), ("\ude00 and a lone \ud83d", False), ("", True)]
    body = "".join(json.dumps({"message": {"content": text}, "done": done}) + "\n" for text, done in lines)
    server.script("http", status=200, body=body)
    assert engine.ask(picture(), recipe(), stop=stop).text == "smile \U0001f600 and a lone \ufffd"


# --- each timeout really ends the request


def test_a_header_is_no_token(server, stop):
    engine = OllamaEngine(server.url, Timeouts(first_token=20.0, silence=0.2))
    engine.check("qwen3.5:4b", stop=stop)
    server.script("early_headers", gap=1.0)
    assert engine.ask(picture(), recipe(), stop=stop).done
    engine.close()
    hasty = OllamaEngine(server.url, Timeouts(first_token=0.2, silence=20.0))
    hasty.check("qwen3.5:4b", stop=stop)
    server.script("early_headers", gap=30.0)
    with pytest.raises(Unavailable, match="first token"):
        hasty.ask(picture(), recipe(), stop=stop)
    hasty.close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("silence_before", "sent nothing"),
        ("slow_headers", "sent nothing"),
        ("silence_mid", "fell silent"),
    ],
)
def test_a_deadline_ends_the_request_and_casts_suspicion_on_the_scan(server, hasty, stop, fault, words):
    hasty.check("qwen3.5:4b", stop=stop)
    server.script(fault, gap=30.0)
    with pytest.raises(Unavailable, match=words) as failed:
        hasty.ask(picture(), recipe(), stop=stop)
    assert failed.value.suspect
    server.wait_for(lambda got: all(request.outcome for request in got))
    assert hasty.ask(picture(), recipe(), stop=stop).done


def test_a_drip_of_single_bytes_meets_the_total(server, stop):
    engine = OllamaEngine(server.url, Timeouts(first_token=5.0, silence=5.0, total=0.5))
    engine.check("qwen3.5:4b", stop=stop)
    server.script("drip", gap=0.02)
    with pytest.raises(Unavailable, match="did not finish"):
        engine.ask(picture(), recipe(), stop=stop)
    engine.close()


@pytest.mark.parametrize("fault", ["silence_before", "silence_mid", "drip", "slow_headers"])
def test_a_stop_ends_a_request_in_the_middle_and_the_server_notices(server, engine, fault):
    stop = Stop()
    engine.check("qwen3.5:4b", stop=stop)
    server.script(fault, gap=0.5)
    outcome = []

    def asking():
        try:
            engine.ask(picture(), recipe(), stop=stop)
        except Stopped as stopped:
            outcome.append(stopped)

    thread = threading.Thread(target=asking)
    thread.start()
    server.wait_for(lambda got: any(request.path == "/api/chat" for request in got))
    stop.set()
    thread.join(2.0)
    assert not thread.is_alive()
    assert len(outcome) == 1
    server.wait_for(lambda got: all(request.outcome for request in got))


def test_a_stop_ends_connecting_to_a_server_that_takes_nobody_in(stop):
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    for _ in range(4):
        caller = socket.socket()
        caller.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            caller.connect(full.getsockname())
        waiting.append(caller)
    engine = OllamaEngine(f"http://127.0.0.1:{full.getsockname()[1]}", Timeouts(connect=60.0))
    outcome = []

    def asking():
        try:
            engine.ask(picture(), recipe(), stop=stop)
        except (Stopped, Unavailable) as ended:
            outcome.append(type(ended))

    thread = threading.Thread(target=asking)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    stop.set()
    thread.join(2.0)
    for each in (*waiting, full):
        each.close()
    assert outcome == [Stopped]
    engine.close()


def test_a_stop_ends_the_waits_between_attempts(stop):
    with Standin() as server:
        gone = OllamaEngine(server.url, Timeouts())
    failures = []

    def asking():
        try:
            ask(gone, picture(), recipe(), stop=stop)
        except (Stopped, Unavailable) as failure:
            failures.append(failure)

    thread = threading.Thread(target=asking)
    thread.start()
    stop.set()
    thread.join(1.0)
    assert not thread.is_alive()
    assert [type(failure) for failure in failures] == [Stopped]
    gone.close()


# --- what it says when it fails


def test_a_server_that_is_not_there_is_unavailable_and_named(stop):
    with Standin() as server:
        url = server.url
    engine = OllamaEngine(url, SHORT)
    with pytest.raises(Unavailable, match="refuses connections") as failed:
        engine.ask(picture(), recipe(), stop=stop)
    assert url in failed.value.reason
    assert not failed.value.suspect
    engine.close()


@pytest.mark.parametrize("fault", ["reset", "error_line", "runner_died", "eof_500"])
def test_a_death_while_it_reads_casts_suspicion(server, engine, stop, fault):
    engine.check("qwen3.5:4b", stop=stop)
    server.script(fault)
    with pytest.raises(Unavailable) as failed:
        engine.ask(picture(), recipe(), stop=stop)
    assert failed.value.suspect
    assert engine.ask(picture(), recipe(), stop=stop).done


@pytest.mark.parametrize("fault", ["busy", "loading", "out_of_memory"])
def test_a_busy_host_is_unavailable_and_no_scan_is_suspected(server, engine, stop, fault):
    engine.check("qwen3.5:4b", stop=stop)
    server.script(fault)
    with pytest.raises(Unavailable) as failed:
        engine.ask(picture(), recipe(), stop=stop)
    assert not failed.value.suspect


def test_a_server_that_comes_back_within_seconds_costs_one_request_more(server, engine, stop):
    engine.check("qwen3.5:4b", stop=stop)
    server.script("reset_before")
    assert ask(engine, picture(), recipe(), stop=stop).done
    assert len(chats(server)) == 2


@pytest.mark.parametrize("fault", ["mllama_500", "not_found", "unauthorized", "redirect"])
def test_what_only_a_person_can_mend_is_misconfigured_with_a_fix(server, engine, stop, fault):
    engine.check("qwen3.5:4b", stop=stop)
    server.script(fault, url="http://127.0.0.1:9/")
    with pytest.raises(Misconfigured) as failed:
        engine.ask(picture(), recipe(), stop=stop)
    assert failed.value.reason
    assert failed.value.fix


@pytest.mark.parametrize(("fault", "verdict"), [("context_400", "context"), ("load_picture_400", "picture")])
def test_what_another_recipe_may_mend_is_a_bad_answer(server, engine, stop, fault, verdict):
    server.script(fault)
    with pytest.raises(BadAnswer) as failed:
        engine.ask(picture(), recipe(), stop=stop)
    assert failed.value.verdict == verdict


@pytest.mark.parametrize("fault", ["flood", "gzip_bomb"])
def test_an_endless_answer_is_refused_before_it_fills_the_memory(server, engine, stop, fault):
    server.script(fault)
    began = time.process_time()
    try:
        answer = engine.ask(picture(), recipe(), stop=stop)
    except (BadAnswer, Unavailable):
        pass
    else:
        assert not answer.done
    assert time.process_time() - began < 30


# --- models


def test_a_model_without_vision_is_refused_before_a_picture_is_sent(stop):
    with Standin(version=BEFORE_LLAMA_SERVER) as server:
        engine = OllamaEngine(server.url, Timeouts())
        with pytest.raises(Misconfigured, match="cannot see pictures"):
            engine.ask(picture(), recipe("tinytext:1b"), stop=stop)
        assert chats(server) == []
        engine.close()


def test_a_model_on_somebody_elses_machine_is_refused_unless_allowed_by_name(server, stop):
    engine = OllamaEngine(server.url, Timeouts())
    with pytest.raises(Misconfigured, match="outside your network"):
        engine.check("big:cloud", stop=stop)
    engine.close()
    allowing = OllamaEngine(server.url, Timeouts(), ["big:cloud"])
    assert allowing.check("big:cloud", stop=stop)
    allowing.close()


def test_a_model_without_a_tag_is_the_latest_one(server, stop):
    server.models["mine:latest"] = Model()
    engine = OllamaEngine(server.url, Timeouts())
    assert engine.check("Mine", stop=stop).digest
    engine.close()


def test_a_model_that_moved_into_the_cloud_is_sent_no_further_scan(server, engine, stop):
    server.models["mine:latest"] = Model(digest="a" * 64)
    for number in (1, 2):
        assert engine.ask(picture(number), recipe("mine"), stop=stop).model_digest == "a" * 64
    assert [request.path for request in server.received].count("/api/show") == 1
    server.models["mine:latest"] = Model(digest="b" * 64, remote_host="https://ollama.com:443")
    engine.new_scan()
    with pytest.raises(Misconfigured, match="outside your network"):
        engine.ask(picture(3), recipe("mine"), stop=stop)
    assert [request.mark for request in chats(server)] == [1, 2]


def test_a_model_that_was_made_anew_is_named_by_its_new_digest(server, engine, stop):
    server.models["mine:latest"] = Model(digest="a" * 64)
    engine.ask(picture(), recipe("mine"), stop=stop)
    server.models["mine:latest"] = Model(digest="b" * 64)
    engine.new_scan()
    assert engine.ask(picture(), recipe("mine"), stop=stop).model_digest == "b" * 64


@pytest.mark.parametrize("path", ["/api/version", "/api/tags", "/api/show"])
def test_a_look_at_the_model_is_never_a_bad_answer(server, engine, stop, path):
    server.script("http", path=path, status=413, body="<html>too large</html>")
    with pytest.raises(Unavailable, match=path):
        engine.check("qwen3.5:4b", stop=stop)


def test_proxies_of_the_environment_are_not_used(server, engine, stop, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert engine.ask(picture(), recipe(), stop=stop).done
