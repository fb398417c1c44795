import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropscribe.intake.mounts import Mount, find_mount, is_network, mount_of

TABLE = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
40 22 0:40 / /srv/scans rw,relatime shared:20 - cifs //nas/scans rw,vers=3.1.1
41 22 0:41 / /srv/scans/local rw master:3 propagate_from:2 - xfs /dev/sdb1 rw
42 22 0:42 / /mnt/with\040blank\134and\011tab rw - nfs4 nas:/x rw
43 22 0:43 / /srv/twice rw - nfs nas:/y rw
44 43 8:17 / /srv/twice rw - ext4 /dev/sdc1 rw
45 22 0:45 / /mnt/phone rw - fuse.rclone phone: rw
46 22 0:46 / /mnt/stick rw - fuseblk /dev/sdd1 rw
a line of another kind
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/home/a", Mount("/", "ext4", network=False)),
        ("/", Mount("/", "ext4", network=False)),
        ("/srv/scans", Mount("/srv/scans", "cifs", network=True)),
        ("/srv/scans/in", Mount("/srv/scans", "cifs", network=True)),
        ("/srv/scansold", Mount("/", "ext4", network=False)),
        ("/srv/scans/local/in", Mount("/srv/scans/local", "xfs", network=False)),
        ("/mnt/with blank\\and\ttab/in", Mount("/mnt/with blank\\and\ttab", "nfs4", network=True)),
        ("/srv/twice/in", Mount("/srv/twice", "ext4", network=False)),
        ("/mnt/phone/in", Mount("/mnt/phone", "fuse.rclone", network=True)),
        ("/mnt/stick/in", Mount("/mnt/stick", "fuseblk", network=False)),
    ],
)
def test_a_folder_lies_on_the_nearest_mount_above_it(path, mount):
    assert find_mount(TABLE, path) == mount


def test_an_empty_table_says_nothing():
    assert find_mount(b"", "/") is None


@pytest.mark.parametrize(
    "fstype", ["nfs", "smb3", "9p", "fuse.sshfs", "fuse", "ceph", "virtiofs", "vboxsf", "drvfs"]
)
def test_shares_are_looked_at_by_the_clock(fstype):
    assert is_network(fstype)


@pytest.mark.parametrize(
    "fstype", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "vfat", "exfat", "fuseblk"]
)
def test_disks_tell_what_changes(fstype):
    assert not is_network(fstype)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_no_table_is_too_strange(table, path):
    find_mount(table, path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells its mounts")
def test_this_machine_tells_where_a_folder_lies(tmp_path):
    assert mount_of(tmp_path / "not there yet").fstype
    assert mount_of("/proc/self").fstype == "proc"
    (tmp_path / "link").symlink_to("/proc")
    assert mount_of(tmp_path / "link").point == "/proc"
    assert os.path.ismount(mount_of(tmp_path).point)
