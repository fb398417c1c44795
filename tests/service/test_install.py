"""Installing and removing, with a `systemctl` that only writes down what it was asked."""

import os
import shutil
from pathlib import Path

import pytest

from dropscribe.cli import main
from dropscribe.errors import UsageError, WorldWrong
from dropscribe.service.systemd import Systemd, lingers, user_units
from dropscribe.service.unit import MARK
from tests.e2e.harness import tree

TEXT = f"{MARK}\n[Service]\nExecStart=/bin/true\n"
SCRIPT = """#!/bin/sh
echo "$@" >> '{log}'
for word in "$@"; do if [ "$word" = "$REFUSE" ]; then echo "$SAYING" >&2; exit 1; fi; done
"""


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """What systemctl was asked, a line each."""
    log, tools = tmp_path / "asked", tmp_path / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SCRIPT.format(log=log))
    (tools / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return lambda: log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def said():
    return []


@pytest.fixture
def manager(tmp_path, said):
    return Systemd(tmp_path / "units", "--user", said.append, booted=tmp_path)


ALL = ["--user daemon-reload", "--user enable dropscribe.service"]


def test_it_is_written_made_known_enabled_and_started_and_each_step_is_said(manager, asked, said):
    manager.install(TEXT)
    assert tree(manager.folder) == {"dropscribe.service": TEXT.encode()}
    assert manager.unit.stat().st_mode & 0o777 == 0o644
    assert asked() == [*ALL, "--user restart dropscribe.service"]
    assert said == [
        f"wrote {manager.unit}",
        *(f"systemctl {line}" for line in asked()),
        "dropscribe runs, and starts by itself from now on",
    ]


def test_again_with_nothing_new_does_not_disturb_the_daemon(manager, asked, said):
    manager.install(TEXT)
    manager.install(TEXT)
    assert asked()[3:] == [*ALL, "--user start dropscribe.service"]
    assert f"{manager.unit} is as it should be" in said


def test_again_with_other_folders_replaces_and_restarts(manager, asked, said):
    manager.install(TEXT)
    manager.install(TEXT + "UMask=0027\n")
    assert manager.unit.read_text() == TEXT + "UMask=0027\n"
    assert asked()[-1] == "--user restart dropscribe.service"
    assert f"replaced {manager.unit}" in said


@pytest.mark.parametrize(
    "other", ["[Service]\nExecStart=/bin/true\n", "", "masked", "link", "folder", "\xff"]
)
def test_a_unit_that_is_not_ours_stays_as_it_is(manager, asked, other):
    manager.folder.mkdir()
    if other == "masked":
        manager.unit.symlink_to("/dev/null")
    elif other == "link":  # to what somebody else looks after, though it began as ours
        (manager.folder.parent / "theirs").write_text(TEXT)
        manager.unit.symlink_to(manager.folder.parent / "theirs")
    elif other == "folder":
        manager.unit.mkdir()
    else:
        manager.unit.write_bytes(other.encode("latin-1"))
    for act in (lambda: manager.install(TEXT), manager.uninstall):
        with pytest.raises(UsageError, match="was not written by `dropscribe service`"):
            act()
    assert os.path.lexists(manager.unit)
    assert asked() == []
    assert len(list(manager.folder.iterdir())) == 1


def test_removing_stops_it_first_and_removing_again_is_nothing(manager, asked, said):
    manager.install(TEXT)
    assert manager.uninstall()
    assert asked()[3:] == ["--user disable --now dropscribe.service", "--user daemon-reload"]
    assert tree(manager.folder) == {}
    assert not manager.uninstall()
    assert len(asked()) == 5


@pytest.mark.parametrize(
    ("saying", "fix"),
    [
        ("Job for dropscribe.service failed", "`journalctl --user -u dropscribe -n 20` says why"),
        ("Failed to connect to bus: No medium found", "log in as that user itself"),
    ],
)
def test_what_systemctl_refuses_is_told_with_what_to_do(manager, asked, monkeypatch, saying, fix):
    monkeypatch.setenv("REFUSE", "restart")
    monkeypatch.setenv("SAYING", saying)
    with pytest.raises(WorldWrong) as told:
        manager.install(TEXT)
    assert told.value.reason == f"`systemctl --user restart dropscribe.service` failed: {saying}"
    assert told.value.fix.startswith(fix)


def test_where_systemd_does_not_run_nothing_is_written(tmp_path, said, asked):
    manager = Systemd(tmp_path / "units", "--user", said.append, booted=tmp_path / "none")
    with pytest.raises(UsageError, match=r"systemd does not run this machine.*docs/service\.md"):
        manager.install(TEXT)
    assert not manager.folder.exists()
    assert asked() == []


def test_without_systemctl_that_is_said(manager, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorldWrong, match="there is no systemctl"):
        manager.install(TEXT)


def test_where_a_users_units_lie():
    assert user_units({"HOME": "/home/a"}) == Path("/home/a/.config/systemd/user")
    assert user_units({"HOME": "/home/a", "XDG_CONFIG_HOME": "/c"}) == Path("/c/systemd/user")


def test_who_lingers(tmp_path):
    (tmp_path / "anna").touch()
    assert lingers("anna", tmp_path)
    assert not lingers("bert", tmp_path)


@pytest.fixture
def config(tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "dropscribe.yaml"
    path.write_text("state: state\ninboxes: [{path: in, engine: ocr}]\n")
    return path


def test_a_config_with_mistakes_is_not_installed(config, asked, capsys):
    shutil.rmtree(config.parent / "in")
    assert main(["service", "install", "--user", "-c", str(config)]) == 2
    assert "expected a folder that exists" in capsys.readouterr().err
    assert asked() == []


def test_an_account_that_is_not_there_is_told_with_how_to_make_it(config, asked, capsys, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    if os.geteuid():
        assert main(["service", "install", "--system", "-c", str(config)]) == 2
        assert "use sudo" in capsys.readouterr().err
        return
    assert main(["service", "install", "--system", "--run-as", "nobody-knows", "-c", str(config)]) == 2
    assert "there is no account nobody-knows" in capsys.readouterr().err
    assert asked() == []


def test_the_config_may_be_named_before_the_verb(config, capsys):
    assert main(["-c", str(config), "service", "show", "--user"]) == 0
    assert f"--config {config}" in capsys.readouterr().out
