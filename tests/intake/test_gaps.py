from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.intake import gaps
from dropscribe.intake.settle import Settling, settle, unsettle
from dropscribe.values import Fingerprint, Gap

PAGE = Fingerprint(dev=1, ino=2, size=100, mtime_ns=0, ctime_ns=0)
QUIET = 10.0
DAY = 86400.0


def grown(pages, at):
    return replace(PAGE, size=100 * pages, mtime_ns=round(at * 1e9))


def looks(*seen, name="a.tif"):
    """What is found at looks (now, fingerprint), and the times in between at which another look is worth it."""
    state, before, found, worth = Settling(), 0.0, [], []
    for now, fingerprint in seen:
        after = settle(state, {name: fingerprint}, now, lambda _: QUIET)
        found += gaps.went_on(state, after, before, now).values()
        worth.append(gaps.halfway(after, now, lambda _: QUIET))
        state, before = after, now
    return found, worth


def test_a_document_that_grows_after_it_was_quiet_shows_a_gap():
    found, worth = looks((0, grown(1, 0)), (5, grown(1, 0)), (7, grown(2, 7)))
    assert found == [7]
    assert worth == [5, None, 12]


def test_without_a_look_in_between_it_may_have_grown_all_the_time():
    assert looks((0, grown(1, 0)), (7, grown(2, 7)))[0] == []


def test_a_late_look_believes_the_time_stamps_if_they_are_nearer():
    assert looks((0, grown(1, 0)), (5, grown(1, 0)), (9, grown(2, 7)))[0] == [7]
    assert looks((0, grown(1, 50)), (5, grown(1, 50)), (9, grown(2, 7)))[0] == [9]


def test_what_shrinks_was_empty_or_is_a_picture_shows_none():
    assert looks((0, grown(2, 0)), (5, grown(2, 0)), (7, grown(1, 7)))[0] == []
    assert looks((0, grown(0, 0)), (5, grown(0, 0)), (7, grown(1, 7)))[0] == []
    assert looks((0, grown(1, 0)), (5, grown(1, 0)), (7, grown(2, 7)), name="a.png") == ([], [None] * 3)


def test_what_was_found_cut_short_had_only_stalled():
    state = unsettle(Settling(), "a.tif", 0, grown(1, 0))
    after = settle(state, {"a.tif": grown(2, 7)}, 7, lambda _: QUIET)
    assert gaps.went_on(state, after, 5, 7) == {}


def test_so_long_a_gap_is_no_guess_any_more():
    state = settle(Settling(), {"a.tif": grown(1, 0)}, 0, lambda _: 100)
    after = settle(state, {"a.tif": grown(2, 31)}, 31, lambda _: 100)
    assert gaps.went_on(state, after, 30, 31) == {}


def test_seven_seconds_are_learned_and_slowly_forgotten():
    gap = gaps.learn(None, 7, QUIET, at=0)
    assert gap == Gap(7, 0)
    assert gaps.wait_for(gap, QUIET, 0) == 10.5
    assert gaps.wait_for(gap, QUIET, 365 * DAY) == QUIET
    assert gaps.wait_for(None, QUIET, 0) == QUIET


def test_a_gap_that_is_waited_for_anyway_is_not_remembered():
    assert gaps.learn(None, 4, QUIET, at=0) is None


SECONDS = st.floats(0.1, 5000)
TIMES = st.floats(0, 1000 * DAY)


@given(st.lists(st.tuples(SECONDS, TIMES), max_size=20), SECONDS, TIMES)
def test_whatever_is_learned_the_wait_is_long_enough_and_bounded(seen, quiet, at):
    known = None
    for seconds, when in seen:
        known = gaps.learn(known, seconds, quiet, when)
        wait = gaps.wait_for(known, quiet, when)
        assert wait >= min(seconds * gaps.MARGIN, gaps.LONGEST_WAIT) * (1 - 1e-9)
    assert quiet <= gaps.wait_for(known, quiet, at) <= max(quiet, gaps.LONGEST_WAIT)


@given(SECONDS, SECONDS, TIMES, st.floats(0, 100 * DAY), st.floats(0, 100 * DAY))
def test_memories_only_fade(seconds, quiet, at, sooner, later):
    gap = Gap(seconds, at)
    first = gaps.wait_for(gap, quiet, at + min(sooner, later))
    assert gaps.wait_for(gap, quiet, at + max(sooner, later)) <= first
    assert gaps.wait_for(gap, quiet, at - sooner) == gaps.wait_for(
        gap, quiet, at
    )  # a clock that was set back


@given(st.lists(st.floats(0.01, 9.9), min_size=1, max_size=8))
def test_with_the_looks_that_it_asks_for_no_gap_that_matters_is_missed(pauses):
    """A writer that adds a page after each pause, watched by events and by the looks that are worth it."""
    pages, then = 1, 0.0
    state, before, found = settle(Settling(), {"a.tif": grown(1, 0)}, 0, lambda _: QUIET), 0.0, []
    for pause in pauses:
        worth = gaps.halfway(state, then, lambda _: QUIET)
        if worth is not None and worth < then + pause:
            state = settle(state, {"a.tif": grown(pages, then)}, worth, lambda _: QUIET)
            before = worth
        then, pages = then + pause, pages + 1
        after = settle(state, {"a.tif": grown(pages, then)}, then, lambda _: QUIET)
        found += gaps.went_on(state, after, before, then).values()
        state, before = after, then
    matter = [pause for pause in pauses if pause * gaps.MARGIN > QUIET]
    assert len(found) >= len(matter)
    assert max(found, default=0) <= max(pauses) + 1e-6
    if matter:
        assert max(found) >= max(matter) - 1e-6


@pytest.mark.parametrize(
    ("stamps", "seen", "gap"),
    [
        (7.0, 6.6, 7.0),  # the first look came late
        (7.0, 9.5, 7.0),  # the last one did
        (-3600.0, 7.0, 7.0),  # a copy with the time of its original
        (86400.0, 7.0, 7.0),  # over one that had such a time
        (0.0, 7.0, 7.0),  # nobody set a time at all
    ],
)
def test_a_gap_is_told_by_time_stamps_unless_they_are_from_elsewhere(stamps, seen, gap):
    before = Fingerprint(1, 1, 100, 1_000_000_000_000, 0)
    after = Fingerprint(1, 1, 200, 1_000_000_000_000 + round(stamps * 1e9), 0)
    assert gaps.gap_between(before, 50.0, after, 50.0 + seen) == pytest.approx(gap)
