"""Which mount a folder lies on, and whether files can appear there without the kernel telling us."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Mount:
    """`network`: written to from elsewhere, so events are missing, attributes stale, leases refused."""

    point: str
    fstype: str
    network: bool


# Shares, cluster file systems, and folders that a host lends to its guests and containers
_NETWORK = frozenset(
    """nfs nfs4 cifs smb3 smbfs smb2 9p ceph glusterfs afs davfs coda ncpfs lustre beegfs orangefs gfs2 ocfs2
    autofs virtiofs vboxsf vmhgfs prl_fs drvfs fakeowner osxfs grpcfuse""".split()  # noqa: SIM905
)
_LOCAL_FUSE = frozenset(
    ("fuseblk", "fuse.ext2", "fuse.ext3", "fuse.ext4", "fuse.exfat", "fuse.ntfs", "fuse.ntfs-3g")
)


def mount_of(path: Path) -> Mount:
    """The mount that `path` lies on, links resolved; a local one where the system does not say."""
    if sys.platform == "linux":
        try:
            table = Path("/proc/self/mountinfo").read_bytes()
        except OSError:
            table = b""
        if mount := find_mount(table, os.path.realpath(path)):
            return mount
    return Mount("/", "", network=False)


def find_mount(table: bytes, path: str) -> Mount | None:
    """The mount in `table` (as in /proc/self/mountinfo, proc(5)) that the absolute `path` lies on."""
    around = [mount for mount in _mounts(table) if f"{path}/".startswith(f"{mount.point.rstrip('/')}/")]
    # Of two mounts on the same point the later one lies on top; max() would keep the first.
    return max(reversed(around), key=lambda mount: len(mount.point), default=None)


def is_network(fstype: str) -> bool:
    """Whether such a file system changes without telling; unknown FUSE ones may, and asking is safe."""
    return fstype in _NETWORK or (fstype.startswith("fuse") and fstype not in _LOCAL_FUSE)


def _mounts(table: bytes) -> Iterator[Mount]:
    for line in table.splitlines():
        before, dash, after = line.partition(b" - ")
        fields = before.split(b" ")
        if dash and len(fields) > 4:
            fstype = os.fsdecode(after.split(b" ", 1)[0])
            yield Mount(_unescaped(fields[4]), fstype, is_network(fstype))


def _unescaped(field: bytes) -> str:
    """Blanks, tabs, newlines and backslashes are written in octal."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8) & 0xFF]), field))
