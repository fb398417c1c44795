"""A table gets one row a scan, whatever is killed: none is missing, none is double, no line is torn."""

import csv
import io
import json
import os
import random
import threading
import time

import pytest

from tests.e2e.harness import drop, tree, until
from tests.e2e.warm import Begetter

ROWS = int(os.environ.get("DROPSCRIBE_ROWS", "40"))
KILLS = 20 if ROWS >= 300 else 6
SEED = int(os.environ.get("DROPSCRIBE_SEED", str(random.SystemRandom().randrange(10**6))))
SCHEMA = {
    "type": "object",
    "properties": {
        "vendor": {"type": "string", "maxLength": 12},
        "total": {"type": "integer"},
        "seller": {"type": "object", "properties": {"text": {"type": "string"}}},
    },
    "required": ["vendor", "total"],
}
COLUMNS = ["vendor", "total", "seller.text", "filed_as", "filed_at"]


@pytest.fixture
def begetter():
    with Begetter() as begetter:
        yield begetter


def table(file):
    """Its rows, after a look at every byte of it."""
    data = file.read_bytes()
    assert data.endswith(b"\r\n"), f"the last line is torn: {data[-200:]!r}"
    assert data.count(b"\n") == data.count(b"\r\n")
    lines = data.decode().removesuffix("\r\n").split("\r\n")
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    assert header == COLUMNS
    assert len(rows) + 1 == len(lines)
    torn = [row for row in rows if len(row) != len(header)]
    assert not torn, torn
    return [dict(zip(header, row, strict=True)) for row in rows]


def check_rows(inbox, numbers):
    """Each scan is filed with its answer, and has its row, and there is nothing else."""
    files = tree(inbox)
    data = files.pop("done/receipts.csv")
    rows = table(inbox / "done" / "receipts.csv")
    assert sorted(int(row["total"]) for row in rows) == sorted(numbers)
    for row in rows:
        name, number = row["filed_as"], int(row["total"])
        assert name == f"scan{number:04}.png"
        answer = json.loads(files.pop(f"done/{name.removesuffix('.png')}.json"))
        assert files.pop(f"done/{name}")
        assert (row["vendor"], number) == (answer["vendor"].replace("\n", " ").strip(), answer["total"])
    assert not files, sorted(files)
    return data


def kill_about_a_row(home, file, chance):
    """Most kills come while a row is being written or is owed, the others at any moment."""
    size = file.stat().st_size if file.exists() else 0
    if chance.random() < 0.7:
        give_up = time.monotonic() + 5
        while time.monotonic() < give_up and (file.stat().st_size if file.exists() else 0) == size:
            pass  # a pause would miss the moment
    threading.Event().wait(chance.choice([0, 0, chance.uniform(0, 0.02), chance.uniform(0, 0.3)]))
    home.kill()


@pytest.mark.slow
def test_whatever_is_killed_each_scan_has_one_row(server, household, begetter, tmp_path):
    print(f"repeat with DROPSCRIBE_SEED={SEED} DROPSCRIBE_ROWS={ROWS}")
    chance = random.Random(SEED)
    schema = tmp_path / "receipt.json"
    schema.write_text(json.dumps(SCHEMA))
    output = {"format": "json", "schema": str(schema), "collect": "receipts.csv"}
    home = household("receipts", each={"receipts": {"output": output}})
    inbox, file = home.inbox("receipts"), home.inbox("receipts") / "done" / "receipts.csv"
    sent = 0
    for kill in range(KILLS):
        more = ROWS * (kill + 1) // KILLS
        for number in range(sent + 1, more + 1):
            drop(inbox, number)
        sent = more
        begetter.beget(home)
        kill_about_a_row(home, file, chance)
    with home:
        until(lambda: len(tree(inbox / "done")) == 2 * ROWS + 1, "all filed", 600)
        until(lambda: file.read_bytes().count(b"\n") == ROWS + 1, "all rows")
        assert home.terminate() == 0
    check_rows(inbox, range(1, ROWS + 1))
    owed = home.said().count("rows written")
    print(f"{KILLS} kills, {ROWS} scans, {ROWS} rows; {owed} starts wrote a row that was still owed")


def collecting(household, tmp_path, collect, **output):
    schema = tmp_path / "receipt.json"
    schema.write_text(json.dumps(SCHEMA))
    output = {"format": "json", "schema": str(schema), "collect": collect, **output}
    return household("receipts", each={"receipts": {"output": output}})


@pytest.mark.slow
def test_a_table_that_is_away_parks_its_inbox_until_it_is_back(server, household, tmp_path):
    share = tmp_path / "share"
    share.mkdir()
    home = collecting(household, tmp_path, str(share / "all.csv"))
    inbox, file = home.inbox("receipts"), share / "all.csv"

    def parked():
        (status,) = home.status()["inboxes"]
        return status["parked"]

    with home:
        drop(inbox, 1)
        until(lambda: file.exists() and file.read_bytes().count(b"\n") == 2, "the first row")
        share.rename(tmp_path / "away")
        drop(inbox, 2)
        until(parked, "parked")
        assert "share" in parked()
        drop(inbox, 3)
        before = len(server.received)
        until(parked, "still parked")
        assert not [r for r in server.received[before:] if r.mark == 3]
        assert not share.exists()
        (tmp_path / "away").rename(share)
        until(lambda: file.read_bytes().count(b"\n") == 4, "all rows")
        assert home.terminate() == 0
    assert sorted(int(row["total"]) for row in table(file)) == [1, 2, 3]


@pytest.mark.slow
def test_names_are_made_of_fields_and_lists_of_answers(server, household, tmp_path):
    home = collecting(household, tmp_path, "tables/all.jsonl", name="{field:total} {field:seller.text}")
    inbox = home.inbox("receipts")
    server.script(
        "text", mark=2, text=json.dumps({"vendor": "../../x\n=1", "total": 2, "seller": {"text": "/.."}})
    )
    server.script("text", mark=3, text=json.dumps({"total": 3, "vendor": ""}))
    with home:
        for number in (1, 2, 3):
            drop(inbox, number)
        until(lambda: len(tree(inbox / "done")) == 7, "all filed")
        assert home.terminate() == 0
    files = tree(inbox)
    rows = [json.loads(line) for line in files.pop("done/tables/all.jsonl").splitlines()]
    (one, other, least) = sorted(rows, key=lambda row: row["total"])
    assert (other["vendor"], other["seller"]) == ("../../x\n=1", {"text": "/.."})
    assert other["filed_as"] == "2 unknown.png"
    assert (least["vendor"], least["filed_as"]) == ("", "3 unknown.png")
    assert one["filed_as"].startswith("1 scan 1 Prompt of receipts")
    for row in rows:
        assert files.pop(f"done/{row['filed_as']}")
        answer = json.loads(files.pop(f"done/{row['filed_as'].removesuffix('.png')}.json"))
        assert answer == {key: value for key, value in row.items() if not key.startswith("filed_")}
    assert not files
