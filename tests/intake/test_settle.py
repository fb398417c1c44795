from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dropscribe.intake.settle import (
    LONGEST_DOUBT,
    Settling,
    Watched,
    quiet_time,
    settle,
    unchanged_since,
    unsettle,
)
from dropscribe.values import Fingerprint

A = Fingerprint(dev=1, ino=2, size=3, mtime_ns=4, ctime_ns=5)
B = replace(A, size=9)
EMPTY = replace(A, size=0)


def five(_name):
    return 5.0


def after(*looks, quiet=five, **how):
    """The memory after looks at (now, seen), each told what had settled before, as a real look is."""
    state = Settling()
    for now, seen in looks:
        told = {name: None if name in state.settled else found for name, found in seen.items()}
        state = settle(state, told, now, quiet, **how)
    return state


def test_a_scan_settles_after_its_quiet_time():
    state = after((0, {"a": A}))
    assert state.arriving == {"a": Watched(A, 0)}
    assert state.look_again_at == 5
    state = after((0, {"a": A}), (4.9, {"a": A}))
    assert not state.settled
    state = after((0, {"a": A}), (4.9, {"a": A}), (5, {"a": A}))
    assert state.settled == {"a": A}
    assert not state.arriving
    assert state.look_again_at is None


def test_of_a_look_that_takes_long_the_end_counts_first_and_the_beginning_later():
    state = settle(Settling(), {"a": A}, 0, five, ended=3)
    assert state.arriving == {"a": Watched(A, 3)}
    state = settle(state, {"a": A}, 7.9, five, ended=12)
    assert not state.settled
    assert settle(state, {"a": A}, 8, five, ended=12).settled == {"a": A}


def test_each_change_starts_the_wait_again():
    state = after((0, {"a": A}), (4, {"a": B}), (6, {"a": B}))
    assert state.arriving == {"a": Watched(B, 4)}
    assert state.look_again_at == 9


def test_a_change_of_nothing_but_the_inode_is_a_change():
    state = after((0, {"a": A}), (5, {"a": replace(A, ino=7)}))
    assert not state.settled


def test_an_empty_file_never_settles_and_asks_for_no_look_of_its_own():
    state = after((0, {"a": EMPTY}), (1e9, {"a": EMPTY}))
    assert state.arriving == {"a": Watched(EMPTY, 0)}
    assert state.look_again_at is None


def test_an_empty_file_settles_only_when_it_is_given_up():
    looks = [(0, {"a": EMPTY}), (99, {"a": EMPTY}), (100, {"a": EMPTY})]
    assert after(*looks[:2], give_up=100).look_again_at == 100
    assert not after(*looks[:2], give_up=100).settled
    assert after(*looks, give_up=100).settled == {"a": EMPTY}


def test_what_was_away_for_one_look_waits_anew():
    state = after((0, {"a": A}), (4, {}), (6, {"a": A}))
    assert state.arriving == {"a": Watched(A, 6)}


def test_what_has_gone_is_forgotten():
    assert after((0, {"a": A}), (5, {"a": A}), (6, {})) == Settling()


def test_a_settled_scan_that_was_looked_at_after_all_and_changed_arrives_again():
    state = settle(after((0, {"a": A}), (5, {"a": A})), {"a": B}, 6, five)
    assert not state.settled
    assert state.arriving == {"a": Watched(B, 6)}


def test_a_look_that_finds_nothing_new_costs_no_new_memory():
    state = after((0, {"a": A, "b": A}), (5, {"a": A, "b": A}))
    assert settle(state, {"a": None, "b": None, "c": B}, 6, five).settled is state.settled


def test_each_scan_has_its_own_quiet_time():
    quiet = {"a": 5.0, "b": 10.0}.__getitem__
    state = after((0, {"a": A, "b": A}), (5, {"a": A, "b": A}), quiet=quiet)
    assert set(state.settled) == {"a"}
    assert state.look_again_at == 10


def test_a_scan_that_was_not_whole_waits_longer_each_time_but_not_for_ever():
    state = after((0, {"a": A}), (5, {"a": A}))
    now, waits = 5.0, []
    for _ in range(7):
        state = unsettle(state, "a", now, A)
        assert not state.settled
        assert state.look_again_at == now
        state = settle(state, {"a": A}, now, five)
        waits.append(state.look_again_at - now)
        now = state.look_again_at
        state = settle(state, {"a": A}, now, five)
        assert state.settled == {"a": A}
    assert waits == [10, 20, 40, LONGEST_DOUBT, LONGEST_DOUBT, LONGEST_DOUBT, LONGEST_DOUBT]


def test_how_long_a_doubted_scan_has_not_changed_is_remembered_through_all_its_tries():
    state = after((0, {"a": A}), (5, {"a": A}))
    assert unchanged_since(state, "a") is None
    state = unsettle(state, "a", 6, A)
    state = unsettle(settle(state, {"a": A}, 16, five), "a", 17, A)
    assert unchanged_since(state, "a") == 6
    state = settle(settle(state, {"a": A}, 40, five), {"a": None}, 41, five)
    assert state.settled == {"a": A}
    assert unchanged_since(state, "a") == 6


def test_a_doubted_scan_that_changes_is_judged_afresh():
    state = unsettle(after((0, {"a": A}), (5, {"a": A})), "a", 6, A)
    state = settle(state, {"a": B}, 7, five)
    assert unchanged_since(state, "a") == 7
    assert state.look_again_at == 12
    assert not state.doubts


def test_a_long_quiet_time_is_not_cut_by_doubt():
    state = unsettle(Settling(), "a", 0, A)
    state = settle(state, {"a": A}, 0, lambda _: 300.0)
    assert state.look_again_at == 300


def test_quiet_times():
    assert quiet_time("a.jpg", settle=None, network=False) == 5
    assert quiet_time("a.TIF", settle=None, network=False) == 10
    assert quiet_time("b/a.pdf", settle=None, network=True) == 20
    assert quiet_time("SCAN", settle=None, network=True) == 10
    assert quiet_time("a.tif", settle=0.5, network=True) == 0.5


NAMES = st.sampled_from("abc")
PRINTS = st.sampled_from([A, B, EMPTY])
SECONDS = st.floats(0, 20, allow_nan=False)
STORIES = st.lists(st.tuples(SECONDS, st.dictionaries(NAMES, PRINTS), st.sets(NAMES)), max_size=12)
QUIET = st.dictionaries(NAMES, st.floats(0.1, 15), min_size=3).map(
    lambda quiet: lambda name: quiet.get(name, 5)
)


@given(STORIES, QUIET, st.floats(0, 1e6))
def test_whatever_happens_in_a_folder(story, quiet, now):
    """Random looks and doubts against the plain history of what was seen when."""
    state = Settling()
    history = []
    for seconds, there, doubted in story:
        now += seconds
        told = {name: None if name in state.settled else found for name, found in there.items()}
        before, state = state, settle(state, told, now, quiet)
        # What had settled is not asked again: a change of it is not known before it is taken up.
        known = {name: before.settled[name] if found is None else found for name, found in told.items()}
        history.append((now, known, before))
        check(state, history, quiet)
        for name in doubted & state.settled.keys():
            state = unsettle(state, name, now, state.settled[name])


def check(state, history, quiet):
    now, there, before = history[-1]
    assert state.arriving.keys() | state.settled.keys() == there.keys()
    assert state.arriving.keys().isdisjoint(state.settled)
    assert state.doubts.keys() <= there.keys()
    for name in state.settled.keys() - before.settled.keys():
        assert there[name].size > 0
        assert was_unchanged(name, there[name], history, quiet(name))
    if state.look_again_at is not None:
        assert state.look_again_at > now
        kept_promise(state, there, quiet)


def was_unchanged(name, fingerprint, history, quiet):
    """Whether it was seen the same at every look of its last `quiet` seconds, the first of them included."""
    now = history[-1][0]
    for then, there, _ in reversed(history):
        if there.get(name) != fingerprint:
            return False
        if then + quiet <= now:
            return True
    return False


def kept_promise(state, there, quiet):
    """A look at the promised time settles something, one just before it does not."""
    told = {name: None if name in state.settled else found for name, found in there.items()}
    on_time = settle(state, told, state.look_again_at, quiet)
    assert len(on_time.settled) > len(state.settled)
    early = settle(state, told, state.look_again_at - 0.01, quiet)
    assert early.settled.keys() == state.settled.keys()
