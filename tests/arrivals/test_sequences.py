"""Each sequence ends as it has to: what was read, how often the model was asked, what lies where."""

import pytest

from tests.arrivals.replay import play
from tests.arrivals.sequences import all_sequences

SEQUENCES = {each.number: each for each in all_sequences()}
MIDWAY = [number for number in SEQUENCES if number < "10" and number[:2] not in {"01", "04"}]
"""What the daemon can come across half written."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of all sequences played together, once for each way of watching."""
    played = {}

    def of(watch):
        if watch not in played:
            played[watch] = play(tmp_path_factory.mktemp(watch), watch, SEQUENCES.values())
        return played[watch]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("watch", ["events", "poll"])
@pytest.mark.parametrize("number", SEQUENCES)
def test_what_was_written_is_read_whole_and_once(outcomes, table, number, watch):
    each = SEQUENCES[number]
    outcome = outcomes(watch)[each.inbox]
    table.append((number, each.title, watch, outcome))
    assert not outcome.problem, f"{number} ({each.title}): {outcome.problem}"


@pytest.fixture(scope="module")
def outcomes_of_a_late_start(tmp_path_factory):
    halves = [SEQUENCES[number] for number in MIDWAY]
    return play(tmp_path_factory.mktemp("late"), "events", halves, late=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", MIDWAY)
def test_a_daemon_that_starts_in_the_middle_waits_for_the_rest(outcomes_of_a_late_start, table, number):
    each = SEQUENCES[number]
    outcome = outcomes_of_a_late_start[each.inbox]
    table.append(("24a", f"started in the middle of {number}", "events", outcome))
    assert not outcome.problem, f"{number} ({each.title}): {outcome.problem}"
