"""The process is stopped before each of its operations on files, ledger and network, and once more on recovery."""

import random
import shutil
from collections import Counter

import pytest

from tests.torture.homes import check_whole
from tests.torture.life import Fate
from tests.torture.scale import LONG, SEED, each, report, some

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("places", ["one disk", "across"], indirect=True)]


def end_well(bench, home, filed, asked, stops):
    """The next start files what is left: the same tree as if nothing had happened, for one page more a stop."""
    told = bench.live(home)
    assert told.code == 0, f"it ended with {told.code}: {told.said}"
    tree = home.tree()
    assert tree == filed, f"{sorted(tree)}: {told.said}"
    assert list((home.root / "state" / "spool").iterdir()) == []
    again = Counter(bench.asked(home)) - Counter(asked)
    assert sum(again.values()) <= stops, f"asked again after {stops} stops: {dict(again)}"
    shutil.rmtree(home.root)


def stop(bench, home, filed, *moments):
    """Lives that are stopped before these operations; how many were, and the last words about where."""
    struck = []
    for at in moments:
        told = bench.live(home, Fate(at))
        check_whole(home, filed)
        if not told.killed:
            break
        struck.append(told.struck)
    return struck


def test_stopped_before_any_operation_it_goes_on_as_if_nothing_had_happened(places, undisturbed):
    filed, told, _, asked = undisturbed
    struck = Counter()

    def attempt(bench, at, number):
        home = bench.home(*places(number))
        where = stop(bench, home, filed, at)
        struck.update(where)
        end_well(bench, home, filed, asked, len(where))

    failures = each(points := some(range(told.operations), 40), attempt)
    print(f"{told.operations} operations: {told.kinds}")
    report("stops", len(points), failures)


def test_stopped_again_while_it_recovers_it_still_goes_on(places, undisturbed):
    filed, told, _, asked = undisturbed
    chance = random.Random(SEED)
    twice = Counter()

    def attempt(bench, moments, number):
        home = bench.home(*places(number))
        where = stop(bench, home, filed, *moments)
        twice[len(where)] += 1
        end_well(bench, home, filed, asked, len(where))

    count = told.operations
    if LONG:
        pairs = [(first, second) for first in range(count) for second in range(count)]
    else:
        pairs = [(chance.randrange(count), chance.randrange(count)) for _ in range(20)]
    failures = each(pairs, attempt)
    print(f"stopped twice: {twice[2]}, once: {twice[1]}")
    report("pairs of stops", len(pairs), failures)
