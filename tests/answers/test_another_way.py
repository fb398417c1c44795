"""Other recipes at work: what a real server is sent after a bad answer, and what the ledger keeps of it."""

import pytest

from dropscribe.errors import Unavailable
from dropscribe.pages import reading_rules
from tests.answers.rooms import a_room, asking
from tests.engines.scripted import ScriptedEngine
from tests.reading_pictures.printed import A4, full_page
from tests.standin import Standin
from tests.unit.test_transcribe import EMPTY, says

PAGE = full_page()


def sent(server):
    return [each for each in server.received if each.path == "/api/chat"]


def asked_of(room):
    """What the ledger keeps of each try, the accepted one last."""
    page = room.ledger.pages(1, reading_rules(room.inbox))[1]
    return [*(tried.asked for tried in room.ledger.tries(1)), page.asked]


def test_a_page_on_its_side_that_gave_nothing_is_sent_upright(tmp_path, decoding):
    pytest.importorskip("rapidocr")
    with (
        Standin() as server,
        asking(server) as engine,
        a_room(tmp_path, decoding, prepare={"turn": None}) as room,
    ):
        PAGE.rotate(90, expand=True).save(room.inbox.path / room.name)
        server.script("empty", times=1)
        try:
            assert room.read(engine=engine).kind == "done"
        finally:
            room.second.close()
        sides = [request.picture_size for request in sent(server)]
        assert sides == [A4[::-1], A4]
        assert [asked.turn for asked in asked_of(room)] == [0, 90]
        assert asked_of(room)[1].changed == {"temperature": 0.1, "seed": 2, "turn": True}


def test_nobody_looks_how_a_page_lies_where_that_is_forbidden(tmp_path, decoding):
    with (
        Standin() as server,
        asking(server) as engine,
        a_room(tmp_path, decoding, prepare={"turn": False}) as room,
    ):
        PAGE.rotate(90, expand=True).save(room.inbox.path / room.name)
        server.script("empty", times=1)
        assert room.read(engine=engine).kind == "done"
        assert [request.picture_size for request in sent(server)] == [A4[::-1]] * 2
        assert room.second._reader.pid is None


def test_a_page_that_is_too_long_for_twice_the_answer_goes_in_two_bands(tmp_path, decoding):
    with Standin() as server, asking(server) as engine, a_room(tmp_path, decoding) as room:
        PAGE.save(room.inbox.path / room.name)
        server.script("length", times=2)
        assert room.read(engine=engine).kind == "done"
        requests = sent(server)
        widths, heights = zip(*(request.picture_size for request in requests), strict=True)
        assert set(widths) == {A4[0]}
        assert heights[:2] == (A4[1],) * 2
        assert len(heights) == 4
        assert sum(heights[2:]) >= A4[1]
        assert [request.options["num_predict"] for request in requests] == [4096, 8192, 8192, 8192]
        assert [request.options["num_ctx"] for request in requests] == [8192, 12288, 12288, 12288]
        assert [asked.bands for asked in asked_of(room)] == [1, 1, 2]
        accepted = asked_of(room)[2]
        assert [picture[:2] for picture in accepted.sent] == [
            request.picture_size for request in requests[2:]
        ]
        assert accepted.tokens == sum(request.pieces + 1 for request in requests[2:])
        assert room.files["done/a.md"].decode().count("picture") == 2


def test_bands_are_not_used_where_they_are_forbidden(tmp_path, decoding):
    with (
        Standin() as server,
        asking(server) as engine,
        a_room(tmp_path, decoding, prepare={"bands": "never"}) as room,
    ):
        PAGE.save(room.inbox.path / room.name)
        server.script("length", times=3)
        assert room.read(engine=engine).kind == "done"
        assert {request.picture_size for request in sent(server)} == {A4}


def test_a_restart_in_the_middle_of_the_ladder_goes_on_by_the_recipe_that_was_next(tmp_path, decoding):
    said = [EMPTY, says("The text.", done_reason="length"), EMPTY]
    outages = [Unavailable("http://h refuses connections") for _ in said]
    with a_room(tmp_path / "one", decoding) as whole, a_room(tmp_path / "two", decoding) as broken:
        whole.read(*said, says("Good text."))
        recipes = whole.engine.asked
        stopped = []
        for answer, outage in zip(said, outages, strict=True):
            with pytest.raises(Unavailable):
                broken.read(answer, outage)
            stopped.append(broken.engine.asked[0])
            broken.restart()
        broken.read(says("Good text."))
        assert [*stopped, *broken.engine.asked] == recipes
        assert [one.changed for one in asked_of(broken)] == [one.changed for one in asked_of(whole)]


def test_the_next_model_of_the_list_is_asked_in_its_own_words(tmp_path, decoding):
    rules = {"models": ("qwen3.5:4b", "glm-ocr"), "preset": "plain", "prompt": "Ours", "tries": 2}
    engine = ScriptedEngine([EMPTY], models=rules["models"])
    with a_room(tmp_path, decoding, **rules) as room:
        assert room.read(engine=engine).kind == "done"
        assert [(r.model, r.prompt, r.options["num_ctx"]) for r in engine.asked] == [
            ("qwen3.5:4b", "Ours", 8192),
            ("glm-ocr", "Text Recognition:", 12288),
        ]
        assert asked_of(room)[1].changed == {"num_ctx": 12288, "model": "glm-ocr", "size": [3211264, 3000]}


def test_a_familys_own_words_that_come_back_are_an_echo(tmp_path, decoding):
    rules = {"models": ("glm-ocr",), "preset": "plain", "prompt": "Ours", "tries": 1}
    engine = ScriptedEngine([says("Text Recognition:")], models=rules["models"])
    with a_room(tmp_path, decoding, **rules) as room:
        assert room.read(engine=engine).kind == "failed"
        assert [tried.verdict for tried in room.ledger.tries(1)] == ["echo"]
