import os
import tempfile
from pathlib import Path

import pytest

from tests.torture import gate
from tests.torture.homes import Bench
from tests.torture.life import Fate


@pytest.fixture(autouse=True, scope="session")
def _there_is_a_gate():
    if reason := gate.why_not():
        pytest.skip(reason)


@pytest.fixture
def memory(tmp_path):
    """A folder on another file system than `tmp_path`."""
    folder = Path("/dev/shm")  # noqa: S108 - a second file system is the point
    if not os.access(folder, os.W_OK) or folder.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with tempfile.TemporaryDirectory(dir=folder) as made:
        yield Path(made)


@pytest.fixture
def places(request, tmp_path, memory):
    """Makes the folders of home number n, and of its done/ if that lies on another file system."""

    def make(number):
        if request.param == "across":
            return tmp_path / str(number), memory / str(number)
        return memory / str(number), None

    return make


@pytest.fixture
def undisturbed(places):
    """A life in which nothing happens: the tree that it leaves, and the operations that it takes."""
    with Bench() as bench:
        home = bench.home(*places("undisturbed"))
        told = bench.live(home)
        assert told.code == 0, told.said
        asked = bench.asked(home)
        everything = bench.live(bench.home(*places("again")), Fate(changes=False))
    return home.tree(), told, everything, asked
