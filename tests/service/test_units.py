"""Units and property lists as text: what systemd's own tools say of them, and which folders they open."""

import getpass
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tools import service_examples

from dropscribe.cli import main
from dropscribe.config.load import from_text, load
from dropscribe.errors import UsageError
from dropscribe.service import plan
from dropscribe.service.plist import launchd_plist
from dropscribe.service.unit import MARK, system_unit, user_unit

ROOT = Path(__file__).parents[2]


def a_service(tmp_path, text, *, user="", home="/home/anna", **variables):
    environment = plan.Read({"HOME": home, **variables})
    config = from_text(text, tmp_path / "dropscribe.yaml", environment, check_folders=False)
    return plan.service_of(config, environment, user=user, program=("/opt/dropscribe/bin/dropscribe",))


def values(unit, key):
    return [line.partition("=")[2] for line in unit.splitlines() if line.startswith(f"{key}=")]


def inboxes(*paths, **more):
    listed = "".join(
        f"  - {{path: '{path}', name: i{n}{more.get('each', '')}}}\n" for n, path in enumerate(paths)
    )
    return f"state: /var/lib/dropscribe\ndefaults: {{engine: ocr}}\ninboxes:\n{listed}"


def test_the_examples_are_what_is_rendered():
    for name, text in service_examples.rendered().items():
        assert (ROOT / "systemd" / name).read_text() == text, "run `uv run python tools/service_examples.py`"


@pytest.mark.parametrize("kind", ["user", "system", "launchd"])
def test_show_prints_the_examples_for_the_config_that_is_there(kind, tmp_path, capsys, monkeypatch):
    shutil.copy(ROOT / "config.example.yaml", config := tmp_path / "dropscribe.yaml")
    home = os.environ["HOME"]
    account = getpass.getuser()
    if kind == "system":
        monkeypatch.setattr(os, "environ", os.environ.copy())  # it reads the account's own
        home = plan.home_of(account, must_exist=True)
    assert main(["service", "show", f"--{kind}", "-c", str(config), "--run-as", account]) == 0
    printed = capsys.readouterr().out
    environment = plan.Read({"HOME": home})
    loaded = load(config, environment, tmp_path, check_folders=False)
    service = plan.service_of(loaded, environment, user=account if kind == "system" else "")
    wanted = {
        "user": user_unit, "system": system_unit, "launchd": lambda made: launchd_plist(made, str(Path.home()))
    }[kind](service)  # fmt: skip
    assert printed == wanted
    assert service.program[0].startswith(str(Path(sys.executable).parent))


def test_every_folder_that_filing_writes_to_is_opened_and_no_other(tmp_path):
    text = inboxes("/home/anna/Scans", "/mnt/share/scans", "/srv/in")
    text = text.replace("name: i2", "name: i2, done: /mnt/archive/done, output: {folder: texts}")
    service = a_service(tmp_path, text, user="dropscribe")
    assert values(system_unit(service), "ReadWritePaths") == [
        "-/home/anna/Scans", "-/mnt/share/scans", "-/srv/in", "-/mnt/archive/done"
    ]  # fmt: skip
    assert values(system_unit(service), "StateDirectory") == ["dropscribe"]
    assert not values(system_unit(service), "RequiresMountsFor")


def test_a_folder_for_review_is_opened_where_one_is_used(tmp_path):
    text = inboxes("/srv/in").replace("engine: ocr", "engine: ollama, model: m, verify: true")
    used = text.replace("name: i0", "name: i0, review: /mnt/review, on_check: review")
    assert plan.folders_of(from_text(used, tmp_path / "c.yaml", {}, check_folders=False))[1:] == (
        Path("/mnt/review"),
    )


def test_what_lies_in_an_inbox_that_is_listed_is_not_listed_again(tmp_path):
    text = inboxes("/srv/in", "/srv/in/sub").replace("name: i0", "name: i0, failed: /srv/in/deep/failed")
    assert plan.folders_of(from_text(text, tmp_path / "c.yaml", {}, check_folders=False)) == (
        Path("/srv/in"),
    )


@pytest.mark.parametrize(
    ("path", "protected"), [("/home/anna/Scans", "read-only"), ("/root/x", "read-only"), ("/srv/in", "yes")]
)
def test_homes_are_out_of_sight_unless_something_lies_there(tmp_path, path, protected):
    service = a_service(Path("/etc"), inboxes(path), user="dropscribe")
    assert values(system_unit(service), "ProtectHome") == [protected]


def test_an_inbox_in_the_temporary_folder_is_seen(tmp_path):
    inside = a_service(Path("/etc"), inboxes("/var/tmp/in"), user="d")  # noqa: S108 - nothing is written there
    assert values(system_unit(inside), "PrivateTmp") == ["no"]
    assert values(system_unit(a_service(Path("/etc"), inboxes("/srv/in"), user="d")), "PrivateTmp") == ["yes"]


def test_a_state_folder_elsewhere_is_opened_and_its_disk_waited_for(tmp_path):
    text = inboxes("/srv/in").replace("/var/lib/dropscribe", "/data/state")
    unit = system_unit(a_service(tmp_path, text, user="dropscribe"))
    assert values(unit, "ReadWritePaths") == ["-/data/state", "-/srv/in"]
    assert values(unit, "RequiresMountsFor") == ["/data/state"]
    assert not values(unit, "StateDirectory")


@pytest.mark.parametrize(
    ("hosts", "allowed"),
    [
        ("http://localhost:11434", "localhost"),
        ("http://127.0.0.1:11434", "localhost"),
        ("http://192.168.1.5:11434", "localhost 192.168.1.5"),
        ("http://[fd00::5]:11434", "localhost fd00::5"),
        ("http://nas:11434", None),
    ],
)
def test_only_the_hosts_of_the_config_can_be_reached(tmp_path, hosts, allowed):
    text = f"ollama: {{hosts: [{{url: '{hosts}'}}], model: m}}\ninboxes: [{{path: /srv/in}}]\n"
    unit = system_unit(a_service(tmp_path, text, user="dropscribe"))
    assert values(unit, "IPAddressAllow") == ([allowed] if allowed else [])
    assert values(unit, "IPAddressDeny") == (["any"] if allowed else [])


def test_what_the_config_takes_from_the_environment_is_written_down(tmp_path):
    service = a_service(tmp_path, inboxes("$SCANS/in"), SCANS='/srv/a "b" 5%', OTHER="x")
    assert service.environment == {"SCANS": '/srv/a "b" 5%'}
    assert values(user_unit(service), "Environment") == [r'"SCANS=/srv/a \"b\" 5%%"']
    assert (
        plistlib.loads(launchd_plist(service, "/Users/a").encode())["EnvironmentVariables"]
        == service.environment
    )


@pytest.mark.parametrize("name", ["a\nUser=root", "a\udcff", "a\x1b[2J", "a\u202eb"])
def test_a_name_that_could_become_a_line_of_its_own_is_refused(tmp_path, name):
    environment = plan.Read({"HOME": "/home/anna", "NAME": name})
    config = from_text(inboxes("/srv/$NAME"), tmp_path / "c.yaml", environment, check_folders=False)
    with pytest.raises(UsageError, match="cannot name this"):
        plan.service_of(config, environment)


def test_the_property_list_is_one(tmp_path):
    found = plistlib.loads(launchd_plist(a_service(tmp_path, inboxes("/x")), "/Users/anna").encode())
    assert found["ProgramArguments"][1:3] == ["run", "--config"]
    assert found["KeepAlive"] == {"SuccessfulExit": False}


def example(tmp_path, kind):
    """An example in a folder of its own, with a program that is there."""
    text = (ROOT / "systemd" / kind / "dropscribe.service").read_text()
    program = values(text, "ExecStart")[0].split()[0]
    (unit := tmp_path / "dropscribe.service").write_text(text.replace(program, "/bin/true"))
    return unit


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("kind", ["user", "system"])
def test_systemd_finds_nothing_wrong_with_them(tmp_path, kind):
    done = subprocess.run(
        ["systemd-analyze", f"--{kind}", "verify", str(example(tmp_path, kind))],
        capture_output=True, text=True, check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize(("kind", "most"), [("system", 20), ("user", 70)])
def test_little_is_exposed(tmp_path, kind, most):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", str(example(tmp_path, kind))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_unit_says_whose_it_is():
    for kind in ("user", "system"):
        assert (ROOT / "systemd" / kind / "dropscribe.service").read_text().startswith(f"{MARK}\n")


def test_odd_names_come_back_as_they_are(tmp_path):
    odd = '/srv/a "b" 100%n $HOME \\x'
    environment = plan.Read({"ODD": odd})
    config = from_text(inboxes("$ODD"), tmp_path / "c.yaml", environment, check_folders=False)
    (value,) = values(system_unit(plan.service_of(config, environment, user="d")), "ReadWritePaths")
    assert [word.replace("%%", "%") for word in shlex.split(value)] == [f"-{odd}"]
