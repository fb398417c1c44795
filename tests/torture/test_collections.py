"""A collection behind the gate: stopped before any operation, or refused it by a sick disk, each scan has one row."""

import csv
import errno
import io
import itertools
import json
import os
import random
import shutil
from collections import Counter
from dataclasses import dataclass

import pytest
import yaml

from tests.torture.homes import Bench, Home
from tests.torture.life import REFUSED, STUCK, Fate
from tests.torture.scale import LONG, SEED, each, report, some

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("places", ["one disk"], indirect=True)]

ERRORS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.ESTALE]
SCHEMA = {
    "type": "object",
    "properties": {"vendor": {"type": "string"}, "total": {"type": "integer"}},
    "required": ["vendor", "total"],
}
FAULTS = int(os.environ.get("DROPSCRIBE_FAULTS", "12"))
"""How many of them in the short form."""
THEIRS = b"vendor,total,paid,filed_as,filed_at\nsomebody's own row,0,yes,,"
"""A table to which people have added a column and a row, whose line has no end."""


@dataclass(frozen=True)
class Collecting(Home):
    """A home whose inbox collects answers."""

    def __post_init__(self):
        super().__post_init__()
        schema = self.root / "receipt.json"
        schema.write_text(json.dumps(SCHEMA))
        config = yaml.safe_load(self.config.read_text())
        (inbox,) = config["inboxes"]
        inbox["output"] |= {"format": "json", "schema": str(schema), "collect": "all.csv"}
        self.config.write_text(yaml.safe_dump(config))
        self.table.write_bytes(THEIRS)

    @property
    def table(self):
        return self.done / "all.csv"


def home(bench, root):
    bench.server.faults.clear()
    return Collecting(root, bench.server.url)


def filed(home):
    """The names of scans in done/ that have come from the inbox, BAIT left out."""
    return sorted(p.name for p in home.done.iterdir() if p.suffix in {".png", ".tif"} and p.name != "one.png")


def rows_of(home):
    data = home.table.read_bytes().decode()
    return [row[3] for row in csv.reader(io.StringIO(data, newline="")) if len(row) == 5 and row[4]][1:]


def check_table(home, *, ended):
    """Nobody's row was touched, and each of ours stands there once; while it goes on, of a filed scan at most one."""
    data = home.table.read_bytes()
    assert data.startswith(THEIRS), data[:200]
    assert data.count(THEIRS) == 1
    if not ended and not data.endswith(b"\n"):
        # Theirs, or a row of ours that is under way.
        data = data[: max(data.rfind(b"\n") + 1, len(THEIRS))]
    header, theirs, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    assert header == ["vendor", "total", "paid", "filed_as", "filed_at"]
    assert theirs == ["somebody's own row", "0", "yes", "", ""]
    names = [row[3] for row in rows]
    assert all(len(row) == len(header) and row[4] for row in rows), rows
    assert len(names) == len(set(names)), f"doubled: {names}"
    assert set(names) <= set(filed(home)), f"{names} without their scans"
    if ended:
        assert sorted(names) == filed(home) == ["one-2.png", "two.tif"]
        assert data.endswith(b"\n")
        assert not [p for p in home.done.iterdir() if p.name.startswith("all-")]
    elif not home.table.read_bytes().endswith(b"\n") and len(data) > len(THEIRS):
        assert len(names) < 2


def end_well(bench, home, how, *, lost=False):
    told = bench.live(home)
    assert told.code == 0, f"{how}, then ended with {told.code}: {told.said}"
    assert not home.tree().keys() & {"one.png", "two.tif"}, told.said
    check_table(home, ended=not lost)
    assert filed(home) == ["one-2.png", "two.tif"]
    shutil.rmtree(home.root)


@pytest.fixture
def undisturbed(places):
    with Bench() as bench:
        changes, everything = (
            bench.live(home(bench, places(name)[0]), Fate(changes=only))
            for name, only in (("changes", True), ("everything", False))
        )
    assert changes.code == everything.code == 0, changes.said
    return changes, everything


def test_stopped_before_any_operation_each_scan_has_one_row(places, undisturbed):
    changes, _ = undisturbed

    def attempt(bench, at, number):
        here = home(bench, places(number)[0])
        told = bench.live(here, Fate(at))
        check_table(here, ended=False)
        end_well(bench, here, f"stopped before {told.struck}")

    points = some(range(changes.operations), 15)
    failures = each(points, attempt)
    print(f"{changes.operations} operations: {changes.kinds}")
    report("stops", len(points), failures)


def test_stopped_twice_around_a_row_each_scan_has_one_row(places, undisturbed):
    changes, _ = undisturbed
    count = changes.operations
    chance = random.Random(SEED)
    pairs = [(chance.randrange(count), chance.randrange(count)) for _ in range(500 if LONG else 6)]

    def attempt(bench, moments, number):
        here = home(bench, places(number)[0])
        for at in moments:
            bench.live(here, Fate(at))
            check_table(here, ended=False)
        end_well(bench, here, f"stopped at {moments}")

    report("pairs of stops", len(pairs), each(pairs, attempt))


def test_any_operation_may_fail_with_any_error(places, undisturbed):
    _, everything = undisturbed
    ended = Counter()

    def attempt(bench, case, number):
        at, code, lasting = case
        here = home(bench, places(number)[0])
        told = bench.live(here, Fate(at, code, changes=False, lasting=lasting))
        how = f"{told.struck} failed with {errno.errorcode[code]}"
        assert "broke down" not in told.said, f"{how}: {told.said}"
        assert told.code in {0, REFUSED, STUCK}, f"{how}: {told.said}"
        check_table(here, ended=False)
        # A life ends as soon as nothing is left in the inbox, perhaps before the minute in which a filing that
        # the ledger could not be told of is settled, and with it its row.
        late = told.code == 0 and sorted(rows_of(here)) != ["one-2.png", "two.tif"]
        # A row that is owed is in the ledger alone, and is lost with it; nothing else is.
        lost = "began a new ledger" in told.said
        ended[f"code {told.code}" + (", a row late" if late else "") + (", new ledger" if lost else "")] += 1
        end_well(bench, here, how, lost=lost)

    cases = some(list(itertools.product(range(everything.operations), ERRORS, (1, 30))), FAULTS)
    failures = each(cases, attempt)
    print(f"{everything.operations} operations, {len(ERRORS)} errors: {dict(ended)}")
    report("faults", len(cases), failures)
