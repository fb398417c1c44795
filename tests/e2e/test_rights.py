"""People on a share can use what the daemon files there, whoever runs it and with whatever umask."""

import os
import shutil
import stat

import pytest

from tests.e2e.harness import drop, until
from tests.intake.rights import only_as_root

SHARE = 54321


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    """Of this process, and of the daemons that it starts."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def moved(inbox):
    """How many scans have left the inbox."""
    return sum(1 for folder in ("done", "failed") for _ in inbox.glob(f"{folder}/**/*.png"))


def spoil(inbox, name):
    hidden = inbox / f".{name}"
    hidden.write_bytes(b"this is no picture")
    hidden.rename(inbox / name)


def test_texts_reasons_and_folders_have_the_rights_of_the_inbox_under_any_umask(household, umask):
    home = household(defaults={"recursive": True})
    inbox = home.inbox()
    inbox.chmod(0o2775)
    (inbox / "sub").mkdir()
    with home:
        drop(inbox / "sub", 1).chmod(0o640)
        spoil(inbox, "bad.png")
        until(lambda: moved(inbox) == 2, "both filed")
    made = [inbox / "done", inbox / "failed", inbox / "done" / "sub"]
    assert [mode(folder) for folder in made] == [0o2775] * 3
    assert mode(inbox / "done/sub/scan0001.md") == 0o664
    assert mode(inbox / "failed/bad.png.reason.txt") == 0o664
    assert mode(inbox / "done/sub/scan0001.png") == 0o640
    assert mode(inbox / "failed/bad.png") == 0o600


def test_what_the_config_says_goes_before_the_inbox(household, umask):
    home = household(defaults={"file_mode": "0640", "output": {"sidecar": True, "folder": "texts"}})
    inbox = home.inbox()
    inbox.chmod(0o777)
    with home:
        drop(inbox, 1)
        until(lambda: moved(inbox) == 1, "filed")
    assert {path.name: mode(path) for path in (inbox / "texts").iterdir()} == {
        "scan0001.md": 0o640,
        "scan0001.meta.json": 0o640,
    }
    assert [mode(inbox / name) for name in ("done", "failed", "texts")] == [0o750] * 3


@only_as_root
def test_root_gives_everything_that_it_makes_to_the_group_of_the_inbox(household, umask):
    home = household()
    inbox = home.inbox()
    os.chown(inbox, -1, SHARE)
    inbox.chmod(0o770)
    with home:
        drop(inbox, 1)
        until(lambda: moved(inbox) == 1, "filed")
    made = [inbox / "done", inbox / "failed", inbox / "done" / "scan0001.md"]
    assert {path.stat().st_gid for path in made} == {SHARE}
    assert [mode(path) for path in made] == [0o770, 0o770, 0o660]
    assert "group not given" not in home.said()


@only_as_root
@pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv takes the right to give files away")
def test_who_may_not_give_the_group_says_so_once_and_reads_on(household, umask):
    home = household(defaults={"group": SHARE})
    home.prefix = ("setpriv", "--bounding-set", "-chown")
    inbox = home.inbox()
    with home:
        drop(inbox, 1)
        drop(inbox, 2)
        until(lambda: moved(inbox) == 2, "both filed")
    (line,) = [line for line in home.said().splitlines() if "group not given" in line]
    assert "cannot be given to the group 54321" in line
    assert "member of that group" in line
    assert sorted(path.name for path in (inbox / "done").glob("*.md")) == ["scan0001.md", "scan0002.md"]
    assert {path.stat().st_gid for path in (inbox / "done").iterdir()} == {os.getegid()}
