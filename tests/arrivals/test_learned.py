"""A scanner that goes on late teaches its inbox to wait, in real seconds, and the next daemon still knows."""

import pytest

from tests.arrivals.replay import Theatre, finish
from tests.arrivals.script import complete, filed, put, tiff
from tests.arrivals.sequences import Sequence
from tests.e2e.harness import until

AUTO = {"settle": "auto"}


def taught():
    one, two = tiff(7000), tiff(7000, 7001)
    yield Sequence(
        "L1", "goes on 7 s later",
        [*put("a.tif", one), ["wait", 7], ["grow", "a.tif", two], *complete()],
        done={"a.tif": two}, documents=True, rules=AUTO,
    )  # fmt: skip
    one, two, three, four = tiff(7100), tiff(7100, 7101), tiff(7102), tiff(7102, 7103)
    yield Sequence(
        "L2", "comes back with a second page, and then pauses for longer than the usual quiet time",
        [
            *put("a.tif", one), *filed("a.tif"), *put("a.tif", two), *filed("a.tif"), ["until", "done/a-2.tif"],
            ["wait", 1], *put("b.tif", three), ["wait", 12], ["grow", "b.tif", four], *complete(),
        ],
        done={"a.tif": one, "a-2.tif": two, "b.tif": four}, documents=True, rules=AUTO, early=True,
    )  # fmt: skip


@pytest.mark.slow
def test_gaps_are_learned_kept_and_shown(tmp_path):
    sequences = list(taught())
    with Theatre(tmp_path, "events", sequences) as theatre:
        home = theatre.home.start()
        until(lambda: "started" in home.said(), "the daemon has started")
        theatre.write()
        outcomes = finish(theatre)
        assert [outcome.problem for outcome in outcomes.values()] == ["", ""]
        first = {each["name"]: each["learned"] for each in home.status()["inboxes"]}
        home.start()
        until(lambda: home.status()["pid"], "the next daemon")
        second = {each["name"]: each["learned"] for each in home.status()["inboxes"]}
        _, text, _ = home.run("status")
        assert home.terminate() == 0
    (near,), (back,) = first["sL1"], first["sL2"]
    assert near["format"] == back["format"] == "TIFF"
    assert near["gap"] < back["gap"]
    assert near["waits"] > 10
    assert back["waits"] > 15
    assert first == second
    assert "sL1: TIFF waits " in text
    assert "this inbox's scanner was seen to go on after 7 s" in text
