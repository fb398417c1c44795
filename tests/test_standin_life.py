"""The stand-in's log, its slots and its coming and going, which leaves nothing behind."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.standin import Standin
from tests.standin.client import (
    PATIENCE,
    ask,
    asked,
    connected,
    get,
    loaded,
    outcome,
    question,
    read_to,
    shot,
    until,
)


@pytest.fixture
def server():
    with Standin() as running:
        yield running


def test_what_was_received_is_kept(server):
    data = shot(17, "JPEG", width=640, height=480)
    options = {"temperature": 0, "num_ctx": 8192}
    ask(server, question(data, prompt="Receipts:\nAll.", options=options, keep_alive="30m"))
    (one,) = server.received
    assert (one.n, one.method, one.path, one.model) == (1, "POST", "/api/chat", "qwen3.5:4b")
    assert (one.prompt, one.options, one.keep_alive) == ("Receipts:\nAll.", options, "30m")
    assert (one.think, one.stream, one.format) == (False, True, None)
    assert (one.mark, one.pictures, one.picture_format, one.picture_size) == (17, 1, "JPEG", (640, 480))
    assert one.picture_bytes == len(data)
    assert (one.status, one.outcome, one.cut) == (200, "answered", False)
    assert one.headers["content-length"]
    assert one.at <= one.ended


def test_waiting_in_vain_tells_what_was_received(server):
    ask(server, question(shot(17)))
    with pytest.raises(AssertionError, match=r"#1 POST /api/chat qwen3\.5:4b mark 17: 200 answered"):
        server.wait_for(lambda received: len(received) == 2, timeout=0.01)


def test_a_request_waits_for_its_slot_and_a_client_that_leaves_frees_it(server):
    server.script("loop", mark=1)
    server.token_seconds = 0.001
    with asked(server, question(shot(1))) as first:
        read_to(first, b"again")
        with asked(server, question(shot(2))) as second:
            server.wait_for(lambda received: len(received) == 2)
            second.settimeout(0.1)
            with pytest.raises(TimeoutError):
                second.recv(1)
            with asked(server, question(model="tinytext:1b")) as other_model:
                read_to(other_model, b'"done":true')
            first.close()
            second.settimeout(PATIENCE)
            read_to(second, b'"done":true')
    assert [one.cut for one in server.received] == [True, False, False]


def test_as_many_are_answered_at_once_as_there_are_slots(server):
    server.parallel = 2
    server.script("silence_mid", times=2)
    with asked(server, question(shot(1))) as first, asked(server, question(shot(2))) as second:
        read_to(first, b" 1\\n")
        read_to(second, b" 2\\n")
        with asked(server, question(shot(3))):
            server.wait_for(lambda received: len(received) == 3)
        left = server.wait_for(lambda received: received[2].outcome)[2]
    assert (left.outcome, left.status) == ("cut by client", 0)


def test_a_client_that_leaves_during_the_load_aborts_it(server):
    server.load_seconds = 3600
    with asked(server, question(shot(1))) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    server.wait_for(lambda received: received[0].outcome == "cut by client")
    assert loaded(server) == []


def test_a_client_that_leaves_while_its_picture_is_encoded_blocks_the_slot_until_that_is_done(server):
    server.first_token_seconds = 0.3
    with asked(server, question(shot(1))):
        until(lambda: loaded(server))
    log = server.wait_for(lambda received: any(one.outcome == "cut by client" for one in received))
    (one,) = [one for one in log if one.path == "/api/chat"]
    assert one.ended - one.at >= 0.3


def test_service_times_are_fixed(server):
    server.load_seconds, server.first_token_seconds, server.token_seconds = 0.05, 0.05, 0.002
    ask(server, question(shot(1)))
    (one,) = server.received
    assert one.ended - one.at >= 0.1 + 0.002 * (one.pieces - 1)
    assert one.pieces == 19


def test_an_upload_that_is_cut_is_told(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), PATIENCE)) as connection:
        connection.sendall(
            b'POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n{"model":'
        )
    server.wait_for(lambda received: received[-1:] and received[-1].outcome == "cut by client")


def test_down_is_refused_and_up_is_on_the_same_port(server):
    server.script("silence_mid")
    port = server.port
    with asked(server, question(shot(1))) as connection:
        read_to(connection, b" 1\\n")
        server.down()
        assert connection.recv(65536) == b""
    assert outcome(server) == "fault:silence_mid"
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            get(server, "/api/version")
        server.up()
        assert server.port == port
        assert ask(server, question(shot(2))).status == 200
        server.down()
    assert [one.mark for one in server.received] == [1, 2, 2, 2]


def test_closing_ends_every_thread_whatever_it_waits_for():
    before = set(threading.enumerate())
    with Standin(parallel=1) as server:
        server.script("silence_mid", mark=1)
        server.script("flood", size=None, mark=2)
        with asked(server, question(shot(1))) as silent, connected(server) as idle:
            read_to(silent, b" 1\\n")
            server.models["other"] = server.models["qwen3.5:4b"]
            with asked(server, question(shot(2), model="other")), asked(server, question(shot(3))):
                server.wait_for(lambda received: len(received) == 3)
                idle.request("GET", "/api/version")
                idle.getresponse().read()
                server.close()
    assert set(threading.enumerate()) == before
    assert [one.outcome for one in server.received[:2]] == ["fault:silence_mid", "fault:flood"]


@contextmanager
def process(log, *arguments):
    command = [sys.executable, "-m", "tests.standin", "--port", "0", "--log", str(log), *arguments]
    where = Path(__file__).parent.parent
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, cwd=where, env=environment, stdout=subprocess.PIPE, text=True) as running:
        try:
            port = running.stdout.readline().removeprefix("listening on http://127.0.0.1:")
            yield running, int(port)
        finally:
            running.kill()


def test_as_a_process_it_logs_each_request_at_arrival_and_end_and_stops_when_told(tmp_path):
    log = tmp_path / "log.jsonl"
    with process(log, "--version", "0.24.0", "--model", "mine", "--model", "tinytext:1b") as (running, port):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/standin/faults", b'{"kind": "silence_mid", "mark": 2}')
            connection.getresponse().read()
            connection.request("GET", "/api/tags")
            tags = json.loads(connection.getresponse().read())["models"]
            connection.request("POST", "/api/chat", json.dumps(question(shot(2), model="mine")))
            connection.getresponse()
            running.send_signal(signal.SIGTERM)
            assert running.wait(PATIENCE) == 0
    assert [tag["name"] for tag in tags] == ["mine:latest", "tinytext:1b"]
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(one["event"], one["n"], one["path"]) for one in events] == [
        ("arrived", 1, "/api/tags"),
        ("ended", 1, "/api/tags"),
        ("arrived", 2, "/api/chat"),
        ("ended", 2, "/api/chat"),
    ]
    assert (events[2]["mark"], events[2]["outcome"], events[3]["outcome"]) == (2, "", "fault:silence_mid")


def test_when_it_is_killed_what_had_arrived_is_in_the_log(tmp_path):
    log = tmp_path / "log.jsonl"
    with process(log, "--first-token-seconds", "3600") as (running, port):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("POST", "/api/chat", json.dumps(question(shot(2))))
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as other:

                def logged():
                    other.request("GET", "/standin/received")
                    other.getresponse().read()
                    return log.read_text()

                until(logged)
            running.kill()
            running.wait(PATIENCE)
    assert [json.loads(line)["mark"] for line in log.read_text().splitlines()] == [2]
