"""Proofs by canaries, on a clock that the test sets."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.intake.canary import (
    AGAIN,
    EVERY,
    MISSES,
    PATIENCE,
    SUSPECT,
    Proof,
    anew,
    arrived,
    dropped,
    is_due,
    judged,
    wake_at,
)


def flown(proof, now, *, heard):
    """The proof after one round of two canaries that begins at `now`, and when it ended."""
    assert is_due(proof, now)
    proof = dropped(proof, ["a", "b"], now)
    if heard:
        return judged(proof, ["b", "a"], now), now
    return judged(proof, ["a"], now + PATIENCE), now + PATIENCE


def gone_deaf(now=0.0):
    proof = Proof()
    for _ in range(MISSES):
        proof, now = flown(proof, now, heard=False)
    assert proof.deaf
    return proof, now


def test_the_first_canaries_are_due_at_once_and_only_once():
    assert is_due(Proof(), -1e9)
    assert not is_due(dropped(Proof(), ["a"], 5.0), 5.0)


def test_nothing_is_judged_before_the_canaries_had_their_time():
    proof = dropped(Proof(), ["a", "b"], 10.0)
    assert judged(proof, ["a"], 10.0 + PATIENCE - 0.001) == proof
    assert wake_at(proof) == 10.0 + PATIENCE
    assert judged(proof, ["a"], 10.0 + PATIENCE).misses == 1


def test_of_several_canaries_each_has_to_be_heard_and_no_other_counts():
    proof = dropped(Proof(), ["a", "b"], 0.0)
    assert judged(proof, ["a", "c"], PATIENCE).misses == 1
    assert judged(proof, ["a", "b", "c"], PATIENCE) == Proof(last=0.0, next_at=None)


def test_one_that_is_missed_is_followed_by_another_at_once_and_believed():
    proof, now = flown(Proof(), 0.0, heard=False)
    assert not proof.deaf
    proof, _ = flown(proof, now, heard=True)
    assert (proof.deaf, proof.misses) == (False, 0)


def test_events_are_not_believed_after_misses_in_a_row():
    proof, _ = gone_deaf()
    assert proof.misses == MISSES


def test_where_events_are_not_believed_it_is_tried_again_and_more_rarely_up_to_an_hour():
    proof, now = gone_deaf()
    waits = []
    for _ in range(9):
        waits.append(wake_at(proof) - now)
        assert not is_due(proof, wake_at(proof) - 0.001)
        proof, now = flown(proof, wake_at(proof), heard=False)
        assert proof.deaf
    assert waits == pytest.approx([AGAIN * 2**n for n in range(6)] + [EVERY] * 3)


def test_the_first_canary_that_is_heard_again_ends_it():
    proof, _ = gone_deaf()
    proof, now = flown(proof, wake_at(proof), heard=True)
    assert proof == Proof(last=now, next_at=None)


def test_where_nothing_arrives_nothing_is_dropped_any_more():
    proof, now = flown(Proof(), 0.0, heard=True)
    assert wake_at(proof) is None
    assert not is_due(proof, now + 1000 * EVERY)


@pytest.mark.parametrize(("rung", "wait"), [(True, EVERY), (False, SUSPECT)])
def test_what_arrives_has_the_events_proved_again_sooner_when_no_bell_had_rung(rung, wait):
    proof, now = flown(Proof(), 100.0, heard=True)
    proof = arrived(proof, rung=rung)
    assert wake_at(proof) == now + wait
    assert not is_due(proof, now + wait - 0.001)
    assert is_due(proof, now + wait)


def test_a_suspicion_is_not_put_off_by_what_is_heard_after_it():
    proof, now = flown(Proof(), 0.0, heard=True)
    assert wake_at(arrived(arrived(proof, rung=False), rung=True)) == now + SUSPECT
    assert wake_at(arrived(arrived(proof, rung=True), rung=False)) == now + SUSPECT


def test_arrivals_change_nothing_about_canaries_in_flight_nor_about_when_the_deaf_are_tried():
    flying = dropped(Proof(), ["a"], 0.0)
    assert arrived(flying, rung=False) == flying
    deaf, _ = gone_deaf()
    assert arrived(deaf, rung=False) == deaf


def test_where_no_file_can_be_made_nothing_is_proved_and_it_is_tried_later():
    deaf, now = gone_deaf()
    for before in (Proof(), deaf):
        proof = dropped(before, [], now + 1000)
        assert (proof.deaf, proof.misses) == (before.deaf, before.misses)
        assert wake_at(proof) == now + 1000 + AGAIN
        assert judged(proof, [], now + 5000) == proof


def test_other_folders_are_proved_at_once():
    proof, now = flown(Proof(), 0.0, heard=True)
    assert is_due(anew(proof), now)
    assert is_due(anew(dropped(proof, ["a"], now)), now)
    deaf, _ = gone_deaf()
    assert anew(deaf).deaf


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 2 * EVERY)), max_size=40))
def test_it_always_comes_to_rest_and_never_writes_more_than_once_a_minute(steps):
    """Whatever is heard and arrives: rest is waiting for an arrival, or for a time that comes."""
    proof, now, last = Proof(), 0.0, -1e9
    for heard, rung, seconds in steps:
        now += seconds
        proof = judged(proof, proof.names if heard else (), now)
        if is_due(proof, now):
            assert now - last >= min(SUSPECT, AGAIN) or proof.misses in range(1, MISSES)
            proof, last = dropped(proof, ["a"], now), now
        proof = arrived(proof, rung=rung)
        wake = wake_at(proof)
        assert wake is None or wake > now or is_due(proof, now)
        assert replace(proof, names=frozenset()).deaf == (proof.misses >= MISSES)
