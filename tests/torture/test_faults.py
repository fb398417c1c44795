"""Each operation on files fails with each error of a sick disk or share: the daemon goes on when that is over."""

import errno
import itertools
import os
import shutil
from collections import Counter

import pytest

from tests.torture.homes import SCANS, check_whole
from tests.torture.life import REFUSED, STUCK, Fate
from tests.torture.scale import each, report, some

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("places", ["one disk", "across"], indirect=True)]

ERRORS = [
    errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EXDEV, errno.EACCES, errno.ESTALE,
]  # fmt: skip

FAULTS = int(os.environ.get("DROPSCRIBE_FAULTS", "25"))
"""How many of them in the short form, of each kind."""


def needs_a_restart(home, told, how):
    """Whether a start in a world that is well again has to end what this life could not; never for nothing."""
    if told.code == REFUSED:
        assert "refused: " in told.said
        return "could not start, and said why"
    if told.code == STUCK:  # folders are made at the start only: what vanishes later is a share that is away
        assert "parked" in told.said, f"{how}: {told.said}"
        assert told.struck.startswith(("mkdir", "newfstatat", "openat")), f"{how}: {told.said}"
        return "waits for its folder, and says so"
    assert told.code == 0, f"{how}, ended with {told.code}: {told.said}"
    return "left a hidden file" if any("/." in f"/{name}" for name in home.tree()) else ""


def endure(bench, places, filed, case, number, ended):
    """A life with this fault, in which hours may pass."""
    at, lasting, code = case
    home = bench.home(*places(number))
    told = bench.live(home, Fate(at, code, changes=False, lasting=lasting))
    how = f"{told.struck} failed with {errno.errorcode[code]}"
    check_whole(home, filed)
    assert "broke down" not in told.said, f"{how}: {told.said}"
    if why := needs_a_restart(home, told, how):
        told = bench.live(home)
        assert told.code == 0, f"{how}, then ended with {told.code}: {told.said}"
    ended[why or "went on by itself"] += 1
    tree = home.tree()
    assert not [name for name in tree if "/." in f"/{name}" or name in SCANS], f"{how}: {told.said}"
    check_whole(home, filed)
    shutil.rmtree(home.root)


@pytest.mark.parametrize("lasting", [1, 30], ids=["once", "thirty times"])
def test_any_operation_may_fail_with_any_error(places, undisturbed, lasting):
    filed, _, everything, _ = undisturbed
    ended = Counter()
    cases = [(at, lasting, code) for at, code in itertools.product(range(everything.operations), ERRORS)]
    cases = some(cases, FAULTS)
    failures = each(cases, lambda bench, case, n: endure(bench, places, filed, case, n, ended))
    print(f"{everything.operations} operations, {len(ERRORS)} errors: {dict(ended)}")
    report("faults", len(cases), failures)
