from hypothesis import given
from hypothesis import strategies as st

from dropscribe import schedule
from dropscribe.schedule import Host, Line, assign

NAMES = st.sampled_from(["a", "b", "c", "d"])
HOSTS = st.lists(
    st.builds(
        Host,
        name=NAMES,
        engine=st.just("ollama"),
        parallel=st.integers(1, 4),
        busy=st.integers(0, 4),
        failures=st.integers(0, 3),
        rests_until=st.floats(0, 20),
    ),
    unique_by=lambda host: host.name,
).map(lambda hosts: {host.name: host for host in hosts})
LINES = st.lists(
    st.builds(
        Line,
        inbox=st.sampled_from(["letters", "bills", "photos"]),
        waiting=st.integers(0, 9),
        hosts=st.lists(NAMES, unique=True).map(tuple),
    ),
    unique_by=lambda line: line.inbox,
)


@given(LINES, HOSTS)
def test_no_host_is_given_more_than_it_has_room_for_and_no_inbox_more_than_waits(lines, hosts):
    picks = assign(lines, hosts, now=10.0)
    for host in hosts.values():
        assert sum(pick.host == host.name for pick in picks) <= host.room(10.0)
    for line in lines:
        mine = [pick for pick in picks if pick.inbox == line.inbox]
        assert len(mine) <= line.waiting
        assert {pick.host for pick in mine} <= set(line.hosts)


@given(LINES, HOSTS)
def test_nothing_is_left_waiting_for_a_host_that_has_room(lines, hosts):
    picks = assign(lines, hosts, now=10.0)
    for line in lines:
        left = line.waiting - sum(pick.inbox == line.inbox for pick in picks)
        spare = sum(
            hosts[name].room(10.0) - sum(pick.host == name for pick in picks)
            for name in line.hosts
            if name in hosts
        )
        assert left == 0 or spare == 0


@given(LINES, HOSTS)
def test_a_host_that_failed_is_probed_before_anything_else_and_by_one_scan_only(lines, hosts):
    for pick in assign(lines, hosts, now=10.0):
        assert pick.probe == (not hosts[pick.host].well)


def test_inboxes_take_turns_and_the_one_served_last_comes_last():
    host = {"h": Host("h", "ollama", parallel=5)}
    lines = [Line("a", 9, ("h",)), Line("b", 9, ("h",)), Line("c", 9, ("h",))]
    assert [pick.inbox for pick in assign(lines, host, 0.0, "a")] == ["b", "c", "a", "b", "c"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_rests_grow_and_end_at_five_minutes(draws):
    host, now = Host("h", "ollama"), 0.0
    for number, draw in enumerate(draws, 1):
        host = schedule.failed(host, now, "refuses connections", draw=draw)
        rest = host.rests_until - now
        wanted = min(schedule.LONGEST_REST, schedule.FIRST_REST * 2 ** (number - 1))
        assert 0.79 * wanted <= rest <= min(1.21 * wanted, schedule.LONGEST_REST) + 1e-6
        assert host.failures == number
        assert host.room(now) == 0
        now = host.rests_until
        assert host.room(now) == 1


def test_requests_that_fail_together_count_once():
    host = schedule.failed(Host("h", "ollama", parallel=4), 100.0, "gone", draw=0.5)
    again = schedule.failed(host, 100.1, "gone", draw=0.5)
    assert again.failures == 1
    assert again.rests_until == host.rests_until


def test_an_answer_ends_the_rest_and_opens_all_room():
    host = schedule.failed(Host("h", "ollama", parallel=4, busy=1), 100.0, "gone", draw=0.5)
    host = schedule.answered(host)
    assert host.room(100.0) == 3
    assert host.reason == ""


def test_resting_since_is_the_first_failure_of_a_row():
    host = schedule.failed(Host("h", "ollama"), 100.0, "gone", draw=0.5)
    host = schedule.failed(host, host.rests_until, "gone", draw=0.5)
    assert host.resting_since == 100.0


def test_a_turn_is_not_lost_when_the_inbox_before_has_been_emptied():
    """Or else, of three, the first two could share all turns while the third waits."""
    hosts = {"h": Host("h", "ollama")}
    (pick,) = assign([Line("a", 9, ("h",)), Line("b", 0, ()), Line("c", 1, ("h",))], hosts, 0.0, "b")
    assert pick.inbox == "c"
