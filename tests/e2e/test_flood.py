"""More scans in a few seconds than the kernel keeps events of: all are read, each once, in bounded memory."""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.flooding import name_of
from tests.e2e.harness import PATIENCE, asked, until
from tests.standin import Standin

SCANS = int(os.environ.get("DROPSCRIBE_FLOOD", "2000"))
WRITERS = 4
SLOTS = 8
BYTES_A_SCAN = 2048
"""What a waiting scan may cost of memory; a few hundred bytes for its name and what it was seen as, several times
over while two looks are compared."""
BYTES_AT_ALL = 16 << 20
"""What a longer life may cost: caches, threads, pages of SQLite, what the allocator does not give back."""


@pytest.fixture
def flood(household):
    with Standin(parallel=SLOTS) as server, ExitStack() as stack:
        hosts = [{"url": server.url, "parallel": SLOTS}]
        home = household(ollama={"hosts": hosts}, defaults={"settle": "2s", "rescan": "60s"})
        yield Flood(home, server, stack)


class Flood:
    def __init__(self, home, server, stack):
        self.home, self.server = home, server
        self._stack = stack
        self.written = 0

    def pour(self, scans):
        """Write `scans` more of them from all processes at once; the seconds until the last was written."""
        bounds = [self.written + scans * n // WRITERS for n in range(WRITERS + 1)]
        writers = [self._writer(first, behind) for first, behind in pairwise(bounds)]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
        self.written += scans
        seconds = [float(writer.stdout.readline()) for writer in writers]
        assert [writer.wait(PATIENCE) for writer in writers] == [0] * WRITERS
        return max(seconds)

    def _writer(self, first, behind):
        command = [
            sys.executable,
            "-m",
            "tests.e2e.flooding",
            str(self.home.inbox()),
            str(first),
            str(behind),
        ]
        pipe = subprocess.PIPE
        writer = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path.cwd())
        return self._stack.enter_context(writer)

    def until_read(self):
        """The seconds until everything written so far has left the inbox."""
        began = time.monotonic()
        with os.scandir(self.home.inbox()) as entries:
            left = sum(entry.name.endswith(".png") for entry in entries)
        until(self._is_empty, "all are filed", PATIENCE + left / 5)
        return time.monotonic() - began

    def _is_empty(self):
        with os.scandir(self.home.inbox()) as entries:
            return not any(entry.is_file() for entry in entries)

    def peak(self):
        """The most memory that the daemon itself ever had, in bytes."""
        lines = Path(f"/proc/{self.home.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of a process")
def test_a_flood_is_read_to_the_last_scan_each_once_and_swells_nothing(flood):
    few = SCANS // 10
    with flood.home:
        until(lambda: "started" in flood.home.said(), "the daemon has started")
        flood.pour(few)
        flood.until_read()
        first = flood.peak()
        seconds = flood.pour(SCANS)
        reading = flood.until_read()
        second = flood.peak()
        assert flood.home.terminate() == 0
    numbers = range(few + SCANS)
    assert Counter(asked(flood.server)) == Counter(numbers)
    assert_each_has_its_text(flood.home.inbox() / "done", numbers)
    assert not list((flood.home.inbox() / "failed").iterdir())
    print(
        f"{SCANS} scans written in {seconds:.1f} s, read in {reading:.0f} s ({SCANS / reading:.0f} a second),"
        f" {len(asked(flood.server))} requests; peak {first >> 20} MB with {few}, {second >> 20} MB with {SCANS}"
        f" ({(second - first) / (SCANS - few):.0f} bytes a scan);"
        f" the kernel's queue was too short {flood.home.said().count('events were lost')} times"
    )
    assert second - first < BYTES_AT_ALL + BYTES_A_SCAN * (SCANS - few)


def assert_each_has_its_text(done, numbers):
    for number in numbers:
        name = name_of(number)
        assert (done / name).stat().st_size
        assert (done / name).with_suffix(".md").read_text().startswith(f"scan {number}\n")
    assert len(os.listdir(done)) == 2 * len(numbers)  # noqa: PTH208
