"""A stream that goes round in circles, by what the server managed to send before we left."""

from dataclasses import replace

import pytest

from tests.answers.rooms import a_room, asking
from tests.standin import Standin

TOKEN = 0.001  # seconds; faster than models are, so that more is on its way when we leave
MODEL = "qwen3.5:4b"
BEFORE = 6  # tokens of the page before the circle begins


def sent_in_circles(tmp_path, decoding, period, **how):
    """How many tokens of the circle were sent beyond its first turn, and the room."""
    with Standin(token_seconds=TOKEN) as server, asking(server) as engine:
        # The server's own guard against equal tokens would come before ours.
        server.models[MODEL] = replace(server.models[MODEL], rendered=False)
        with a_room(tmp_path, decoding) as room:
            server.script("loop", times=1, period=period, lines=BEFORE, **how)
            filed = room.read(engine=engine)
            asked = [each for each in server.wait_for(_all_ended, 10) if each.path == "/api/chat"]
            tries = room.ledger.tries(1)
            files = room.files
    assert filed.kind == "done"
    assert [tried.verdict for tried in tries] == ["loop"]
    assert tries[0].asked.changed == {}
    assert asked[0].cut
    assert len(asked) == 2
    assert asked[1].options["temperature"] == 0.1
    assert files["done/a.md"].decode().startswith("scan 7\n")
    return asked[0].pieces - BEFORE - period


def _all_ended(received):
    return all(each.ended is not None for each in received)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120])
def test_a_circle_is_left_within_400_tokens_and_the_page_read_by_another_recipe(tmp_path, decoding, period):
    sent = sent_in_circles(tmp_path, decoding, period)
    print(f"a circle of {period} tokens: {sent} sent after its first turn")
    assert 0 < sent <= 400


def test_a_circle_of_half_a_page_is_left_after_four_turns(tmp_path, decoding):
    assert sent_in_circles(tmp_path, decoding, 200) <= 3 * 200 + 60
