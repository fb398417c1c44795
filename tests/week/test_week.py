"""Seven days with 5,000 scans, and days with anything at any time; repeat one with DROPSCRIBE_SEED."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.week.plan import HOST_WORDS
from tests.week.run import simulate, told

SEED = int(os.environ.get("DROPSCRIBE_SEED", str(random.SystemRandom().randrange(10**6))))
DAYS = int(os.environ.get("DROPSCRIBE_DAYS", "2"))
_AT_ONCE = int(os.environ.get("DROPSCRIBE_WORKERS", str(max(1, (os.cpu_count() or 2) - 1))))


@pytest.mark.slow
def test_a_week_of_scans_and_outages_needs_nobody(tmp_path):
    report = simulate(tmp_path, "week", SEED)
    print(told(report))
    assert not report["findings"], f"repeat with DROPSCRIBE_SEED={SEED}\n{told(report)}"
    assert report["scans"] == 5000
    assert report["failed"] > 100  # the plan has bad scans of every kind
    assert report["most in a parked hour"]["hours"] >= 10
    # Every trouble was met, but for restarts of a minute: a bound that nobody comes near proves nothing.
    assert all(most for kind, (most, _) in report["most probes in an hour"].items() if kind != "restarting")
    assert report["most probes in an hour"].keys() == HOST_WORDS.keys()


@pytest.mark.slow
def test_days_of_anything_at_any_time(tmp_path):
    seeds = [SEED + number for number in range(DAYS)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        reports = []
        for report in pool.map(lambda seed: simulate(tmp_path / str(seed), "day", seed), seeds):
            print(told(report), flush=True)
            reports.append(report)
    failed = [report for report in reports if report["findings"]]
    print(
        f"{len(reports)} days, {sum(report['scans'] for report in reports)} scans, {len(failed)} days failed"
    )
    assert not failed, "\n".join(
        f"DROPSCRIBE_SEED={each['seed']} DROPSCRIBE_DAYS=1\n{told(each)}" for each in failed
    )
