"""A machine of its own that systemd has booted, over the files of this one and without changing them.

Needs root and systemd-nspawn. What is written there lies in memory and is gone with it.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.harness import until

REPOSITORY = Path(__file__).parents[2]
PROGRAM = Path("/opt/dropscribe/bin/dropscribe")


def why_not():
    """Why none can be booted here, if so."""
    if not os.environ.get("DROPSCRIBE_NSPAWN"):
        return "DROPSCRIBE_NSPAWN=1 boots a machine for this"
    if os.geteuid() or not shutil.which("systemd-nspawn"):
        return "booting a machine takes root and systemd-nspawn"
    return ""


class Machine:
    def __init__(self, root, leader):
        self.root = root
        self._enter = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w"]

    def run(self, *command, check=True, text=True, user=""):
        """What it printed; `user`: as that one."""
        words = ["runuser", "-u", user, "--", *command] if user else command
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
        }
        done = subprocess.run(
            [*self._enter, *words], capture_output=True, text=text, check=False, timeout=600, env=environment
        )
        if check and done.returncode:
            raise AssertionError(
                f"{command}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.journal()}"
            )
        return done.stdout

    def write(self, path, text, mode=0o644):
        subprocess.run(
            [*self._enter, "tee", path], input=text.encode(), stdout=subprocess.DEVNULL, check=True
        )
        self.run("chmod", f"{mode:o}", path)

    def put(self, source, path, owner="dropscribe"):
        """A whole file, moved in as a careful scanner does."""
        part = str(Path(path).with_name(f".{Path(path).name}.part"))
        subprocess.run(
            [*self._enter, "tee", part], input=source.read_bytes(), stdout=subprocess.DEVNULL, check=True
        )
        self.run("chown", owner, part)
        self.run("mv", part, path)

    def has(self, path):
        return subprocess.run([*self._enter, "test", "-e", path], check=False).returncode == 0

    def unit(self, key, unit="dropscribe"):
        return self.run("systemctl", "show", "-P", key, unit).strip()

    def journal(self):
        done = subprocess.run(
            [*self._enter, "journalctl", "-u", "dropscribe", "--no-pager", "-o", "short-precise"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout


@contextmanager
def booted(folder):
    """A machine with dropscribe in /opt/dropscribe; `folder` is for what it takes to make it."""
    program, disk, root = folder / "program", folder / "disk", folder / "root"
    for path in (disk, root):
        path.mkdir()
    _install(program)
    with _mounted("-t", "tmpfs", "tmpfs", disk):
        for name in ("upper", "work"):
            (disk / name).mkdir()
        layers = f"lowerdir=/,upperdir={disk / 'upper'},workdir={disk / 'work'}"
        with _mounted("-t", "overlay", "overlay", "-o", layers, root):
            # What this machine itself would start is none of our business.
            for unit in (root / "etc/systemd/system").glob("*.wants"):
                shutil.rmtree(unit)
            console = (folder / "console").open("wb")
            process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network",
                 "--console=pipe", f"--directory={root}", f"--bind-ro={program}:/opt/dropscribe",
                 f"--bind-ro={REPOSITORY}:/opt/repository"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env={**os.environ, "SYSTEMD_NSPAWN_TMPFS_TMP": "1"},
            )  # fmt: skip
            try:
                until(lambda: _leader(process.pid), "the first process of the machine")
                machine = Machine(root, _leader(process.pid))
                until(lambda: _state(machine) in ("running", "degraded"), "a machine that is up")
                yield machine
            finally:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                console.close()


def _state(machine):
    return machine.run("systemctl", "is-system-running", check=False).strip()


def _leader(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next((int(child) for child in children if _is_init(child)), 0)


def _is_init(pid):
    try:
        return (
            "systemd\0" in Path(f"/proc/{pid}/cmdline").read_text()
            or "init\0" in Path(f"/proc/{pid}/cmdline").read_text()
        )
    except OSError:
        return False


def _install(target):
    def uv(*words):
        subprocess.run(["uv", *words], check=True, cwd=REPOSITORY)

    uv("venv", "--quiet", "--relocatable", "--python", sys.executable, str(target))
    uv(
        "pip", "install", "--quiet", "--python", str(target / "bin" / "python"),
        "-c", "constraints.txt", ".[ocr]",
    )  # fmt: skip


@contextmanager
def _mounted(*words):
    subprocess.run(["mount", *map(str, words)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(words[-1])], check=True)
