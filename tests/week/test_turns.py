"""Whose turn it is: a backlog holds up no other inbox, and a poison scan nobody for longer than its own tries."""

import pytest

from dropscribe import schedule
from tests.week import plan
from tests.week.run import simulate, told
from tests.week.servers import BLANK, DYING

INBOX, NAME, KIND, ARRIVED, SETTLED, HANDED, ENDED = range(7)
SEED = 7
TRIES = 4
"""As configured by default."""


@pytest.mark.slow
def test_a_backlog_of_a_thousand_does_not_starve_another_inbox(tmp_path):
    report = simulate(tmp_path, "backlog", SEED)
    assert not report["findings"], told(report)
    others = [each for each in report["episodes"] if each[INBOX] != "drawer"]
    drawer = [each for each in report["episodes"] if each[INBOX] == "drawer"]
    assert (len(others), len(drawer)) == (72, 1000)
    busy_until = max(each[ENDED] for each in drawer)
    assert all(each[SETTLED] < busy_until for each in others)  # the backlog was there all the while
    for each in others:
        # The answer under way and one of the other small inbox; for each older one of its own a whole round more.
        older = [o for o in others if o[INBOX] == each[INBOX] and o[ARRIVED] < each[ARRIVED]]
        ahead = sum(o[HANDED] >= each[SETTLED] for o in older)
        assert each[HANDED] - each[SETTLED] <= (2 + 3 * ahead) * plan.LONE.slowest, each
    by_age = sorted(drawer, key=lambda each: each[NAME])
    assert by_age == sorted(drawer, key=lambda each: each[HANDED])


@pytest.mark.slow
def test_a_poison_scan_delays_nobody_by_more_than_its_own_tries(tmp_path):
    with_it, without = (simulate(tmp_path / name, name, SEED) for name in ("poisoned", "unpoisoned"))
    assert not with_it["findings"], told(with_it)
    assert not without["findings"], told(without)
    ended = {(each[INBOX], each[NAME]): each[ENDED] for each in without["episodes"]}
    delays = {
        key: each[ENDED] - ended[key]
        for each in with_it["episodes"]
        if (key := (each[INBOX], each[NAME])) in ended
    }
    assert len(delays) == 300
    killer = sum(DYING + rest + BLANK for rest in _rests(TRIES))
    empty = TRIES * plan.LONE.slowest
    assert max(delays.values()) <= max(killer, empty) + 1, sorted(delays.values())[-5:]
    assert max(delays.values()) > 0  # they were in somebody's way
    poisons = {each[KIND]: each for each in with_it["episodes"] if each[KIND] in plan.POISONS}
    assert poisons.keys() == set(plan.POISONS)


def _rests(times):
    """The longest rests of a host after so many failures in a row."""
    host = schedule.Host("any", "ollama")
    for _ in range(times):
        now = host.rests_until
        host = schedule.failed(host, now, "down", draw=1.0)
        yield host.rests_until - now
