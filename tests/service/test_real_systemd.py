"""The unit that `dropscribe service install` writes, run by a real systemd on a machine of its own.

DROPSCRIBE_NSPAWN=1 uv run pytest -s tests/service/test_real_systemd.py
"""

import json
import time

import pytest

from tests.e2e.harness import until
from tests.reading_pictures import printed
from tests.service.machine import PROGRAM, booted, why_not
from tests.standin import marks

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

CONFIG = """\
ollama: {hosts: [{url: 'http://127.0.0.1:11434'}], model: 'qwen3.5:4b'}
defaults: {settle: 200ms, rescan: 2s}
inboxes:
  - {path: /home/anna/Scans, name: home}
  - {path: /mnt/share/scans, name: share}
  - {path: /srv/in, name: archived, done: /mnt/archive/done, output: {folder: /mnt/archive/done}}
  - {path: '/srv/odd "name" 100%n $$HOME \\x', name: odd, group: 60}
  - {path: /srv/print, name: print, engine: ocr}
"""
ODD = '/srv/odd "name" 100%n $HOME \\x'
STATE = "/var/lib/dropscribe"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with booted(tmp_path_factory.mktemp("machine")) as made:
        # The Python of whoever runs these tests may lie in a home that is closed to others.
        made.run("chmod", "a+rx", "/root")
        made.run("useradd", "--system", "--create-home", "--home-dir", "/srv/dropscribe", "dropscribe")
        made.run("usermod", "-aG", "60", "dropscribe")
        made.run("useradd", "--create-home", "anna")
        made.run("chmod", "a+rx", "/home/anna")
        made.run("mkdir", "-p", "/mnt/share", "/mnt/archive")
        made.run("mkdir", "/run/server")
        for mount in ("/run/server", "/mnt/archive"):
            made.run("mount", "-t", "tmpfs", "tmpfs", mount)
        made.run("mount", "--bind", "/run/server", "/mnt/share")
        for folder in (
            "/home/anna/Scans",
            "/mnt/share/scans",
            "/mnt/archive/done",
            "/srv/in",
            ODD,
            "/srv/print",
        ):
            made.run("install", "-d", "-o", "dropscribe", folder)
        made.run("mkdir", "/etc/dropscribe")
        made.write("/etc/dropscribe/config.yaml", CONFIG)
        serve(made)
        print(made.run(str(PROGRAM), "service", "install", "--system"))
        yield made


def serve(machine, *how):
    machine.run("systemctl", "stop", "standin", check=False)
    machine.run(
        "systemd-run", "--quiet", "--unit=standin", "--setenv=PYTHONPATH=/opt/repository",
        str(PROGRAM.with_name("python")), "-m", "tests.standin", "--port", "11434", *how,
    )  # fmt: skip


def status(machine):
    return json.loads(machine.run(str(PROGRAM), "status", "--json", user="dropscribe"))


def drop(machine, folder, number, tmp_path, name=None):
    name = name or f"scan{number:04}.png"
    marks.draw(number).save(tmp_path / name)
    machine.put(tmp_path / name, f"{folder}/{name}")
    return name


def filed(machine, done, name):
    stem = name.rpartition(".")[0]
    until(lambda: machine.has(f"{done}/{stem}.md"), f"the text of {name}\n{machine.journal()[-3000:]}")
    assert machine.has(f"{done}/{name}")
    return machine.run("cat", f"{done}/{stem}.md")


def active(machine):
    return machine.unit("ActiveState") == "active" and machine.unit("SubState") == "running"


def test_it_runs_and_says_how_it_goes(machine):
    assert active(machine)
    assert machine.unit("StatusText").startswith("5 inboxes")
    assert machine.unit("WatchdogUSec") == "10min"
    assert machine.run("stat", "-c", "%U %a", STATE).split() == ["dropscribe", "700"]


@pytest.mark.parametrize(
    ("folder", "done"),
    [
        ("/home/anna/Scans", "/home/anna/Scans/done"),
        ("/mnt/share/scans", "/mnt/share/scans/done"),
        ("/srv/in", "/mnt/archive/done"),
        (ODD, f"{ODD}/done"),
    ],
)
def test_it_files_wherever_the_inbox_lies(machine, tmp_path, folder, done):
    name = drop(machine, folder, 11, tmp_path)
    assert "Prompt" not in filed(machine, done, name)
    assert not machine.has(f"{folder}/{name}")


def test_documents_are_decoded_under_all_restrictions(machine, tmp_path):
    for name in ("two.pdf", "two.tif"):
        pages = [marks.draw(number) for number in (21, 22)]
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        machine.put(tmp_path / name, f"/srv/in/{name}")
    until(lambda: machine.has("/mnt/archive/done/two.md"), "the first text")
    until(lambda: machine.has("/mnt/archive/done/two-2.md"), "the second text")


def test_the_embedded_engine_reads_under_all_restrictions(machine, tmp_path):
    printed.full_page().save(tmp_path / "page.png")
    machine.put(tmp_path / "page.png", "/srv/print/page.png")
    assert "chestnut" in filed(machine, "/srv/print/done", "page.png")


def test_a_text_gets_the_group_that_the_config_names(machine):
    assert machine.run("stat", "-c", "%g", f"{ODD}/done/scan0011.md").strip() == "60"


def test_the_rest_of_the_machine_is_out_of_reach(machine):
    pid = machine.unit("MainPID")
    inside = ["nsenter", "-t", pid, "-m", "--", "sh", "-c"]
    for where in ("/etc/x", "/usr/x", "/home/anna/x", "/mnt/x", "/srv/x", "/opt/x"):
        said = machine.run(*inside, f"touch {where} 2>&1; true")
        assert "Read-only file system" in said, where
    capabilities = machine.run("grep", "CapEff", f"/proc/{pid}/status").split()[1]
    assert int(capabilities, 16) == 1 << 28  # CAP_LEASE


def test_installing_again_changes_nothing_and_leaves_the_daemon_alone(machine):
    pid = machine.unit("MainPID")
    said = machine.run(str(PROGRAM), "service", "install", "--system")
    assert "is as it should be" in said
    assert machine.unit("MainPID") == pid


def test_the_journal_has_priorities_and_no_times_of_ours(machine):
    lines = machine.run("journalctl", "-u", "dropscribe", "-o", "json", "--no-pager").splitlines()
    own = [entry for line in lines if (entry := json.loads(line)).get("_COMM") == "python"]
    messages = [entry["MESSAGE"] for entry in own]
    assert any("  filed" in message for message in messages)
    assert not any(message.startswith(("<", "20")) or "\x1b" in message for message in messages)
    assert {entry["PRIORITY"] for entry in own if "filed" in entry["MESSAGE"]} == {"6"}


def test_a_killed_daemon_is_started_again_and_loses_nothing(machine, tmp_path):
    restarts = int(machine.unit("NRestarts"))
    machine.run("kill", "-9", machine.unit("MainPID"))
    name = drop(machine, "/srv/in", 31, tmp_path)
    filed(machine, "/mnt/archive/done", name)
    assert active(machine)
    assert int(machine.unit("NRestarts")) == restarts + 1


def test_a_stop_in_the_middle_of_an_answer_ends_well(machine, tmp_path):
    serve(machine, "--token-seconds", "2")
    name = drop(machine, "/srv/in", 41, tmp_path)
    until(
        lambda: "1 reading" in machine.unit("StatusText"), f"an answer on its way {machine.journal()[-2000:]}"
    )
    began = time.monotonic()
    machine.run("systemctl", "stop", "dropscribe")
    print(f"stopped in the middle of an answer within {time.monotonic() - began:.1f} s")
    assert machine.unit("Result") == "success"
    assert machine.has(f"/srv/in/{name}")
    assert not machine.has("/mnt/archive/done/scan0041.md")
    serve(machine)
    machine.run("systemctl", "start", "dropscribe")
    filed(machine, "/mnt/archive/done", name)


def test_a_daemon_that_hangs_is_ended_and_started_again(machine, tmp_path):
    machine.run("mkdir", "-p", "/run/systemd/system/dropscribe.service.d")
    machine.write(
        "/run/systemd/system/dropscribe.service.d/soon.conf", "[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n"
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "dropscribe")
    before = int(machine.unit("NRestarts"))
    # Idle for several times what the watchdog waits: it is fed.
    first = machine.unit("MainPID")
    said = machine.run("sh", "-c", "sleep 13; systemctl show -P MainPID dropscribe").strip()
    assert said == first
    machine.run("kill", "-STOP", first)
    until(lambda: machine.unit("MainPID") not in (first, "0"), "another process")
    until(lambda: active(machine), "a daemon that is ready again")
    assert int(machine.unit("NRestarts")) == before + 1
    assert "watchdog" in machine.journal().lower()
    filed(machine, "/mnt/archive/done", drop(machine, "/srv/in", 51, tmp_path))
    machine.run("rm", "-r", "/run/systemd/system/dropscribe.service.d")
    machine.run("systemctl", "daemon-reload")


def parked(machine, name):
    return next(inbox["parked"] for inbox in status(machine)["inboxes"] if inbox["name"] == name)


def test_a_share_that_is_away_parks_one_inbox_and_comes_back_into_the_running_service(machine, tmp_path):
    machine.run("systemctl", "stop", "dropscribe")
    machine.run("umount", "/mnt/share")
    machine.run("systemctl", "start", "dropscribe")
    assert active(machine)
    until(lambda: parked(machine, "share"), "the inbox parked")
    print("parked:", parked(machine, "share"))
    filed(machine, "/mnt/archive/done", drop(machine, "/srv/in", 61, tmp_path))
    pid = machine.unit("MainPID")
    machine.run("mount", "--bind", "/run/server", "/mnt/share")
    name = drop(machine, "/mnt/share/scans", 62, tmp_path)
    filed(machine, "/mnt/share/scans/done", name)
    machine.run("umount", "/mnt/share")
    until(lambda: parked(machine, "share"), "the inbox parked again")
    assert machine.unit("MainPID") == pid
    machine.run("mount", "--bind", "/run/server", "/mnt/share")
    filed(machine, "/mnt/share/scans/done", drop(machine, "/mnt/share/scans", 63, tmp_path))


def test_a_service_that_finds_its_folders_taken_tries_until_they_are_free(machine, tmp_path):
    machine.run("systemctl", "stop", "dropscribe")
    machine.run("systemd-run", "--quiet", "--unit=taker", "flock", f"{STATE}/lock", "sleep", "1000")
    until(lambda: machine.unit("SubState", "taker") == "running", "somebody who takes the lock")
    machine.run("systemctl", "start", "dropscribe", check=False)
    until(lambda: int(machine.unit("NRestarts")) >= 2, "another try, and another")
    machine.run("systemctl", "stop", "taker")
    until(lambda: active(machine), "the service")
    filed(machine, "/mnt/archive/done", drop(machine, "/srv/in", 65, tmp_path))


def test_a_wrong_config_is_not_tried_again_and_says_why_in_the_journal(machine):
    machine.write("/etc/dropscribe/config.yaml", CONFIG.replace("rescan:", "rescna:"))
    machine.run("systemctl", "restart", "dropscribe", check=False)
    until(lambda: machine.unit("ActiveState") == "failed", "a service that has failed")
    assert machine.unit("ExecMainStatus") == "2"
    errors = machine.run("journalctl", "-u", "dropscribe", "-p", "3", "-n", "5", "--no-pager")
    assert 'did you mean "rescan"' in errors
    machine.write("/etc/dropscribe/config.yaml", CONFIG)
    machine.run("systemctl", "restart", "dropscribe")


def test_a_user_has_a_service_without_root(machine, tmp_path):
    uid = machine.run("id", "-u", "anna").strip()
    machine.run("systemctl", "start", f"user@{uid}")
    me = ["env", f"XDG_RUNTIME_DIR=/run/user/{uid}", "HOME=/home/anna"]
    machine.run(*me, str(PROGRAM), "init", "/home/anna/letters", user="anna")
    said = machine.run(*me, str(PROGRAM), "service", "install", "--user", user="anna")
    assert "loginctl enable-linger anna" in said
    filed(machine, "/home/anna/letters/done", drop(machine, "/home/anna/letters", 71, tmp_path))
    machine.run(*me, str(PROGRAM), "service", "uninstall", "--user", user="anna")
    assert not machine.has("/home/anna/.config/systemd/user/dropscribe.service")
    assert machine.has("/home/anna/letters/done/scan0071.md")


def test_the_real_tools_find_nothing_wrong_and_little_exposed(machine):
    unit = "/etc/systemd/system/dropscribe.service"
    assert machine.run("sh", "-c", f"systemd-analyze verify {unit} 2>&1") == ""
    print(machine.run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).splitlines()[-1])


def test_removing_it_leaves_config_state_and_scans(machine):
    said = machine.run(str(PROGRAM), "service", "uninstall", "--system")
    assert "removed" in said
    assert machine.run("systemctl", "is-active", "dropscribe", check=False).strip() in ("inactive", "unknown")
    for path in ("/etc/dropscribe/config.yaml", f"{STATE}/ledger.db", "/mnt/archive/done/scan0011.png"):
        assert machine.has(path)
    assert "nothing to remove" in machine.run(str(PROGRAM), "service", "uninstall", "--system")
