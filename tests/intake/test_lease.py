import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from dropscribe.intake.lease import held_for_writing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")

HOLDS_IT_OPEN = """
import os, sys
fd = os.open(sys.argv[1], {flags})
print("open", flush=True)
sys.stdin.readline()
os.close(fd)
print("closed", flush=True)
sys.stdin.readline()
"""

ASKS_AGAIN_AND_AGAIN = """
import os, sys
from dropscribe.intake.lease import held_for_writing
fd = os.open(sys.argv[1], os.O_RDONLY)
answers = {held_for_writing(fd) for _ in range(20_000)}
print(sorted(answers))
"""

OPENS_AGAIN_AND_AGAIN = """
import os, sys
print("ready", flush=True)
while True:
    os.close(os.open(sys.argv[1], os.O_WRONLY))
"""


@contextmanager
def running(script, path):
    command = [sys.executable, "-c", script, os.fspath(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def opened(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.jpg"
    path.write_bytes(b"x")
    return path


@pytest.mark.parametrize("flags", ["os.O_WRONLY", "os.O_RDWR", "os.O_WRONLY | os.O_APPEND"])
def test_a_file_is_held_until_the_other_program_closes_it(scan, flags):
    with running(HOLDS_IT_OPEN.format(flags=flags), scan) as other, opened(scan) as fd:
        assert held_for_writing(fd) is True
        print(file=other.stdin, flush=True)
        assert other.stdout.readline() == "closed\n"
        assert held_for_writing(fd) is False


def test_a_file_that_others_only_read_is_not_held(scan):
    with running(HOLDS_IT_OPEN.format(flags="os.O_RDONLY"), scan), opened(scan) as fd:
        assert held_for_writing(fd) is False


def test_asking_leaves_no_lease_behind(scan):
    with opened(scan) as fd:
        assert held_for_writing(fd) is False
        with running(HOLDS_IT_OPEN.format(flags="os.O_WRONLY | os.O_NONBLOCK"), scan):
            assert held_for_writing(fd) is True


def test_what_has_no_leases_is_unknown(tmp_path):
    with opened(tmp_path) as folder:
        assert held_for_writing(folder) is None
    with opened("/proc/self/status") as made_up:
        assert held_for_writing(made_up) in {None, False}


def test_a_writer_that_comes_in_the_middle_of_asking_does_not_kill_us(scan):
    with running(OPENS_AGAIN_AND_AGAIN, scan):
        asked = subprocess.run(
            [sys.executable, "-c", ASKS_AGAIN_AND_AGAIN, os.fspath(scan)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (asked.returncode, asked.stdout, asked.stderr) == (0, "[False, True]\n", "")
