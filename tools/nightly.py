"""Run the long form of every test that has one, one after another: what a machine does at night.

    uv run python tools/nightly.py [NAME ...]

NAMEs are those of the list below; without any, all run, which takes most of a day. What a test prints is passed on,
its seeds among it. Ends with a line for each, and with 1 if one of them failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple


class Long(NamedTuple):
    tests: str
    settings: dict[str, str]


EVERY = {
    "arrivals": Long(
        "tests/arrivals",
        {"DROPSCRIBE_ARRIVALS_SCALE": "1", "DROPSCRIBE_ARRIVALS_BURST": "10000"},
    ),
    "kills": Long("tests/e2e/test_kills.py", {"DROPSCRIBE_KILLS": "20000"}),
    "rows": Long("tests/e2e/test_collections.py", {"DROPSCRIBE_ROWS": "300"}),
    "row-stops": Long("tests/torture/test_collections.py", {"DROPSCRIBE_LONG": "1"}),
    "flood": Long("tests/e2e/test_flood.py", {"DROPSCRIBE_FLOOD": "40000"}),
    "second": Long("tests/e2e/test_verify_daemon.py", {"DROPSCRIBE_LONG": "1"}),  # and DROPSCRIBE_CORPUS
    "stops": Long("tests/torture/test_crash_points.py", {"DROPSCRIBE_LONG": "1"}),
    "faults": Long("tests/torture/test_faults.py", {"DROPSCRIBE_LONG": "1"}),
    "power": Long("tests/torture/test_power_cuts.py", {"DROPSCRIBE_LONG": "1"}),
    "real-power": Long(
        "tests/torture/test_real_power_cuts.py", {"DROPSCRIBE_POWER": "real", "DROPSCRIBE_LONG": "1"}
    ),
    "service": Long("tests/service/test_real_systemd.py", {"DROPSCRIBE_NSPAWN": "1"}),
    "week": Long("tests/week/test_week.py", {"DROPSCRIBE_DAYS": "40"}),
}


def main() -> int:
    names = sys.argv[1:] or list(EVERY)
    if unknown := [name for name in names if name not in EVERY]:
        print(f"there is no {', '.join(unknown)}; there are {', '.join(EVERY)}", file=sys.stderr)
        return 2
    ended = {name: _ended(name, EVERY[name]) for name in names}
    print()
    for name, (code, seconds) in ended.items():
        print(f"{name:10} {'passed' if code == 0 else f'failed ({code})':12} {seconds / 60:7.1f} min")
    return int(any(code for code, _ in ended.values()))


def _ended(name: str, long: Long) -> tuple[int, float]:
    print(
        f"== {name}: {' '.join(f'{key}={value}' for key, value in long.settings.items())} {long.tests}",
        flush=True,
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", long.tests], env={**os.environ, **long.settings}, check=False
    )
    return done.returncode, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
