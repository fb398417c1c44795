"""Begins simulated lives, each in a process of its own, with disks of its own where this user may mount any."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


@functools.cache
def own_mounts() -> tuple[str, ...]:
    """How to begin a process that may mount; empty where that cannot be had, and then no disk gets full."""
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    command = ("unshare", *as_root, "--mount")
    try:
        trial = [*command, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return command if subprocess.run(trial, capture_output=True, check=False).returncode == 0 else ()
    except OSError:
        return ()


def simulate(folder: Path, plan: str, seed: int) -> dict:
    """What `judge` found of one life in `folder`."""
    mounts = own_mounts()
    command = [*mounts, sys.executable, "-m", "tests.week.live", str(folder / "life"), plan, str(seed)]
    command.append("mounted" if mounts else "plain")
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert ended.returncode == 0, f"{plan} {seed}: {ended.stderr[-4000:]}"
    return json.loads(ended.stdout)


def told(report: dict) -> str:
    """A report in a few lines."""
    figures = {name: value for name, value in report.items() if name not in {"findings", "episodes"}}
    return json.dumps(figures) + "".join(
        f"\n  {name}: {finding}" for name, found in report["findings"].items() for finding in found
    )
