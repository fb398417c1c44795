"""How much memory this process may have in all: that of the machine, or what it was given of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OWN_GROUP = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def memory(own: Path = _OWN_GROUP, groups: Path = _GROUPS) -> int | None:
    """Bytes, None where that cannot be told; limits are those of Linux' control groups, version 2 (cgroups(7))."""
    found = list(_limits(own, groups))
    with suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _limits(own: Path, groups: Path) -> list[int]:
    """Of the group of this process and of all groups around it."""
    try:
        ways = [line[3:] for line in own.read_text().splitlines() if line.startswith("0::/")]
    except OSError:
        return []
    found = []
    for way in ways:
        group = groups / way.lstrip("/")
        for folder in (group, *group.parents):
            if folder == groups.parent:
                break
            with suppress(OSError, ValueError):  # "max", or a group that has no limits
                found.append(int((folder / "memory.max").read_text()))
    return found
