"""The same on a real ext4 whose power is cut: FS_IOC_SHUTDOWN on a loop mount. For root, and only when asked for."""

import os
import shutil
import subprocess

import pytest

from tests.torture.homes import Bench, check_whole
from tests.torture.life import Fate
from tests.torture.scale import report, some

ASKED_FOR = os.environ.get("DROPSCRIBE_POWER") == "real"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ASKED_FOR or os.geteuid() != 0, reason="DROPSCRIBE_POWER=real, as root"),
]


class Drive:
    """An ext4 image that is mounted, and again after each power cut."""

    def __init__(self, folder):
        self.image, self.mount = folder / "image", folder / "mount"
        self.mount.mkdir(parents=True)
        subprocess.run(["truncate", "-s", "64M", self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", self.image], check=True)
        self.on()

    def on(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.mount], check=True)

    def off(self):
        subprocess.run(["umount", self.mount], check=True)

    def again(self):
        self.off()
        self.on()


@pytest.fixture
def drives(tmp_path):
    made = [Drive(tmp_path / name) for name in ("one", "other")]
    yield made
    for drive in made:
        drive.off()


@pytest.mark.parametrize("across", [False, True], ids=["one disk", "across"])
def test_after_a_real_power_cut_the_next_start_files_what_is_left(tmp_path, drives, across):
    one, other = drives
    failures = []

    def home(bench, name):
        for drive in drives:
            for old in drive.mount.glob("home*"):
                shutil.rmtree(old)
        made = bench.home(one.mount / name, other.mount / name if across else None, tmp_path / "log.txt")
        os.sync()  # the sender had the time to
        return made

    with Bench() as bench:
        told = bench.live(first := home(bench, "home"))
        assert told.code == 0, told.said
        filed = first.tree()
        points = some(range(told.operations), 25)
        for at in points:
            here = home(bench, f"home{at}")
            told = bench.live(here, Fate(at, power=[str(drive.mount) for drive in drives]))
            for drive in drives:
                drive.again()
            try:
                check_whole(here, filed)
                after = bench.live(here)
                assert after.code == 0, after.said
                assert here.tree() == filed, sorted(here.tree())
            except AssertionError as error:
                failures.append(f"before {at}, {told.struck}: {error}")
    report("real power cuts", len(points), failures)
