"""Who runs these tests."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def _reads_everything():
    with tempfile.NamedTemporaryFile() as file:
        os.chmod(file.name, 0)  # noqa: PTH101
        return os.access(file.name, os.R_OK)


only_where_rights_count = pytest.mark.skipif(_reads_everything(), reason="this user may read everything")

only_as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may become another user or give files away"
)

NOBODY = 65534


@contextmanager
def as_user(user=NOBODY, groups=(NOBODY,)):
    """Inside this process is `user`, its group the first of `groups`."""
    before = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups(groups)
    os.setegid(groups[0])
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(before[2])


@pytest.fixture
def open_folder():
    """A folder that every user can reach, as `tmp_path` is not."""
    with tempfile.TemporaryDirectory(prefix="dropscribe-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
