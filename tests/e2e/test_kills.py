"""kill -9 at random moments: nothing lost, nothing doubled, at most one page asked again for each kill."""

import os
import random
import threading
from collections import Counter

import pytest

from tests.e2e.harness import asked, assert_filed, drop, until

KILLS = int(os.environ.get("DROPSCRIBE_KILLS", "8"))
SCANS = int(os.environ.get("DROPSCRIBE_KILL_SCANS", "60"))
SEED = int(os.environ.get("DROPSCRIBE_SEED", str(random.SystemRandom().randrange(10**6))))


@pytest.mark.slow
def test_whatever_is_killed_the_end_is_the_same(server, household):
    print(f"repeat with DROPSCRIBE_SEED={SEED}")
    chance = random.Random(SEED)
    names = ("letters", "bills", "photos")
    home = household(*names)
    # Slow enough that there is work left for the last kill; an answer has some twenty tokens.
    server.token_seconds = max(0.002, KILLS * 0.6 / SCANS / 20)
    numbers = {name: range(k * 1000, k * 1000 + SCANS // 3) for k, name in enumerate(names, 1)}
    for name, wanted in numbers.items():
        for number in wanted:
            drop(home.inbox(name), number)
    kills = 0
    for _ in range(KILLS):
        home.start()
        # Half of the kills come when it is working, the others at any moment of its life.
        before = len(server.received)
        if chance.random() < 0.7:
            until(lambda seen=before: len(server.received) > seen or _all_filed(home, numbers), "a request")
        threading.Event().wait(chance.uniform(0, 1.2))
        home.kill()
        kills += 1
        if _all_filed(home, numbers):
            break
    with home:
        until(lambda: _all_filed(home, numbers), "all filed", 300)
        assert home.terminate() == 0
    for name, wanted in numbers.items():
        assert_filed(home.inbox(name), wanted, f"Prompt of {name}")
    again = Counter(asked(server)) - Counter({number: 1 for w in numbers.values() for number in w})
    print(f"{kills} kills, {sum(again.values())} pages asked again")
    assert sum(again.values()) <= kills


def _all_filed(home, numbers):
    """Filed, and nothing half done: a kill between text and scan leaves the scan in its inbox."""
    return all(
        len(list((home.inbox(name) / "done").glob("*.md"))) == len(wanted)
        and not list(home.inbox(name).glob("*.png"))
        for name, wanted in numbers.items()
        if (home.inbox(name) / "done").exists()
    ) and all((home.inbox(name) / "done").exists() for name in numbers)
