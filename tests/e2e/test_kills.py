"""kill -9 at random moments: nothing lost, nothing doubled, at most one page asked again for each kill."""

import os
import random
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.harness import until
from tests.e2e.many_pages import Sender, files
from tests.e2e.warm import Begetter, is_alive

KILLS = int(os.environ.get("DROPSCRIBE_KILLS", "20"))
SEED = int(os.environ.get("DROPSCRIBE_SEED", str(random.SystemRandom().randrange(10**6))))
NAMES = ("letters", "bills", "photos")
WAITING = 6  # scans in the inboxes while it is killed
TRIES = 4


@pytest.fixture
def memory():
    """Where done/ of one inbox lies: another file system, if there is one."""
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - that is the point
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        yield Path(folder)


@pytest.fixture
def begetter():
    with Begetter() as begetter:
        yield begetter


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells the children of a process")
def test_whatever_is_killed_the_end_is_the_same(server, household, memory, begetter):
    print(f"repeat with DROPSCRIBE_SEED={SEED} DROPSCRIBE_KILLS={KILLS}")
    chance = random.Random(SEED)
    away = {"done": str(memory), "output": {"folder": str(memory)}}
    home = household(*NAMES, each={"photos": away})
    server.token_seconds = 0.01  # an answer has some twenty tokens
    sender = Sender(chance, server)
    lives = []  # how many requests there had been when each began
    decoders = 0
    for _ in range(KILLS):
        send_more(home, sender, chance)
        # Most are forked: in the second of importing there is nothing to kill.
        begin = home.start if chance.random() < 0.1 else lambda: begetter.beget(home)
        begin()
        lives.append(len(server.received))  # only now: the last request of the killed one may have come late
        # Half of the kills come when it is working, the others at any moment of its life.
        if chance.random() < 0.7:
            until(lambda: len(server.received) > lives[-1] or not waiting(home), "a request")
        threading.Event().wait(chance.uniform(0, 0.8))
        if chance.random() < 0.15:
            decoders += kill_decoders(home.process.pid)
            threading.Event().wait(chance.uniform(0, 0.3))
        kill_and_see_all_end(home)
    lives.append(len(server.received))
    with home:
        until(lambda: not waiting(home), "all filed", 600)
        own = children(home.process.pid)
        assert home.terminate() == 0
        until(lambda: not any(map(is_alive, own)), "the end of its processes")
    ended = check_filed(home, sender, {"photos": memory})
    again, failures = asked_again(server, sender, lives)
    struck = Counter(r.outcome for r in server.received if r.outcome.startswith("fault:"))
    print(f"{KILLS} kills, {decoders} of decoding processes too; {len(sender.sent)} scans: {dict(ended)}")
    print(f"{sum(len(s.pages) for s in sender.sent)} pages, {again} asked again; {dict(struck)}")
    assert not failures, f"seed {SEED}: {failures}"


# --- what is done to it


def send_more(home, sender, chance):
    while waiting(home) < WAITING:
        name = chance.choice(NAMES)
        sender.send(name, home.inbox(name))


def waiting(home):
    return sum(not e.name.startswith(".") and e.is_file() for n in NAMES for e in os.scandir(home.inbox(n)))


def children(pid):
    """Its decoding processes and their like."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found.update(int(child) for child in task.read_text().split())
    return found


def kill_decoders(pid):
    own = children(pid)
    for child in own:
        os.kill(child, 9)
    return len(own)


def kill_and_see_all_end(home):
    own = children(home.process.pid)
    home.kill()
    until(lambda: not any(map(is_alive, own)), "the end of its processes")


# --- what became of it


def check_filed(home, sender, elsewhere):
    """Each scan is whole in one place, with its own whole text or its reason, and nothing else is anywhere."""
    ended = Counter()
    done, failed = {}, {}
    for name in NAMES:
        done[name] = files(elsewhere.get(name, home.inbox(name) / "done"))
        failed[name] = files(home.inbox(name) / "failed")
        assert not files(home.inbox(name))
    for scan in sender.sent:
        stem = scan.name.partition(".")[0]
        if scan.name in done[scan.inbox]:
            assert not scan.hopeless, f"{scan} has a text"
            assert done[scan.inbox].pop(scan.name) == scan.data, scan
            assert done[scan.inbox].pop(f"{stem}.md").decode() == scan.text(f"Prompt of {scan.inbox}"), scan
            ended["done"] += 1
        else:
            assert failed[scan.inbox].pop(scan.name, None) == scan.data, f"{scan} is lost"
            reason = failed[scan.inbox].pop(f"{scan.name}.reason.txt").decode()
            assert reason.endswith("\n")
            broke = "broke down 3 times" in reason  # its decoding process was killed too often
            assert broke or scan.hopeless, f"{scan}: {reason}"
            ended["broke down" if broke else "failed"] += 1
    assert not any(done.values()), done
    assert not any(failed.values()), failed
    assert not list((home.root / "state" / "spool").iterdir())
    return ended


@dataclass(frozen=True)
class Asked:
    life: int
    outcome: str
    was_last: bool  # nothing was asked in that life after this


def asked_again(server, sender, lives):
    """How many pages were asked again without need, and what is wrong with that.

    There is need when the answer before was one of the planned bad ones. Otherwise it has to be the page that
    was in flight when a life was killed, the last that it asked about; so there is at most one for each kill.
    """
    log = [
        (r.n - 1, r.mark, r.outcome) for r in server.received if r.path == "/api/chat" and r.mark is not None
    ]
    failures, again = [], 0
    asked, in_flight, before = Counter(), Counter(), {}
    for life, (begin, end) in enumerate(pairwise([*lives, len(server.received)])):
        mine = [entry for entry in log if begin <= entry[0] < end]
        for place, mark, outcome in mine:
            asked[mark] += 1
            if mark in before and not before[mark].outcome.startswith("fault:"):
                again += 1
                if not before[mark].was_last:
                    failures.append(f"life {life} asked about {mark} again, as life {before[mark].life} had")
            before[mark] = Asked(life, outcome, was_last=place == mine[-1][0])
        if mine:
            in_flight[mine[-1][1]] += 1
    failures += [
        f"page {mark} was asked {asked[mark]} times, {in_flight[mark]} of them in flight"
        for mark in {scan.hopeless for scan in sender.sent} - {0}
        if asked[mark] > TRIES + in_flight[mark]
    ]
    return again, failures
