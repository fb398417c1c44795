"""The power fails at any moment of a pass: what was announced as done is there, and the next start goes on."""

import pickle
import random
import shutil
from pathlib import Path

import pytest

from tests.torture.homes import BAIT, SCANS, Bench
from tests.torture.life import Fate
from tests.torture.power import Disks
from tests.torture.scale import LONG, SEED, report

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("places", ["one disk", "across"], indirect=True)]

MOST = 500 if LONG else 20
"""Outcomes looked at for each moment."""


@pytest.fixture
def bench():
    with Bench() as bench:
        yield bench


@pytest.fixture
def recorded(bench, places, tmp_path):
    """A home, all that happened in it from look to filed, and the tree in the end."""
    home = bench.home(*places("recorded"))
    told = bench.live(home, Fate(record=str(tmp_path / "record")))
    assert told.code == 0, told.said
    return home, pickle.loads((tmp_path / "record").read_bytes()), home.tree()  # noqa: S301 - just written


def disks_of(home):
    """Before anything happens: the senders have not flushed what they sent."""
    disks = Disks(home.folders)
    if not home.elsewhere:
        disks.folder(str(home.done))
    for name, data in SCANS.items():
        disks.put(str(home.inbox / name), data, safe=False)
    for name, data in BAIT.items():
        disks.put(str(home.done / Path(name).name), data, safe=True)
    return disks


def cuts(home, events):
    """Each moment: what was announced until then, and each tree that a cut may leave."""
    chance = random.Random(SEED)
    disks, announced, log = disks_of(home), set(), str(home.root / "log.txt")
    for event in [None, *events]:
        if event is not None and event[1] == log:
            announced |= {n for n in SCANS if b" filed " in event[3] and f"/{n} ".encode() in event[3]}
            continue
        if event is not None:
            disks.apply(event)
        for tree in disks.outcomes(chance, MOST):
            yield event, announced, tree


def wrong(home, filed, announced, tree):
    """What a power cut must not have done; empty if it has not."""
    done = {name.rpartition("/")[2]: data for name, data in tree.items() if Path(name).parent == home.done}
    for name, data in BAIT.items():
        if done.get(Path(name).name) != data:
            return f"{name} is gone"
    for name, data in SCANS.items():
        scan = next(n for n, d in filed.items() if d == data).rpartition("/")[2]
        text = f"{scan.rpartition('.')[0]}.md"
        if str(home.inbox / name) not in tree and scan not in done:
            return f"{name} is lost"
        if scan in done and done[scan] != data:
            return f"{scan} is not whole: {len(done[scan])} bytes"
        if text in done and done[text] != filed[f"done/{text}"]:
            return f"{text} is not whole"
        if scan in done and text not in done:
            return f"{scan} has no text"
        if name in announced and scan not in done:
            return f"{name} was announced and is not there"
    return ""


def test_nothing_announced_is_lost_and_nothing_is_half(recorded):
    home, events, filed = recorded
    failures, tried = [], 0
    for event, announced, tree in cuts(home, events):
        tried += 1
        if problem := wrong(home, filed, announced, tree):
            failures.append(f"{problem} after {event[:2] if event else 'nothing'}")
    print(f"{len(events)} events")
    report("power cuts in the model", tried, failures)


def test_after_any_cut_the_next_start_files_what_is_left(bench, recorded):
    home, events, filed = recorded
    everything = list(cuts(home, events))
    chosen = random.Random(SEED).sample(everything, 1000 if LONG else 20)
    failures = []
    for event, _, tree in chosen:
        lay_out(home, tree)
        bench.server.faults.clear()
        told = bench.live(home)
        whole = all(tree.get(str(home.inbox / name), data) == data for name, data in SCANS.items())
        if told.code != 0 or (whole and home.tree() != filed):
            failures.append(
                f"after {event[:2] if event else None}: {sorted(home.tree())} {told.said[-1500:]}"
            )
    report("starts after a power cut", len(chosen), failures)


def lay_out(home, tree):
    for folder in map(Path, home.folders):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for name, data in tree.items():
        if data is None:
            Path(name).mkdir(parents=True, exist_ok=True)
        else:
            Path(name).write_bytes(data)


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_these_cuts_do_strike_where_nothing_is_synced(recorded, kind):
    home, events, filed = recorded
    folders = {str(home.inbox), str(home.done), str(home.root / "state")}
    lying = [e for e in events if e[0] != "sync" or (e[1] in folders) != (kind == "folders")]
    assert len(lying) < len(events)
    assert any(wrong(home, filed, announced, tree) for _, announced, tree in cuts(home, lying))
