"""The real daemon as a process of its own, on folders of a test."""

import glob
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.standin import marks

PATIENCE = 60.0  # seconds; only a hang meets this


def until(condition, what, timeout=PATIENCE):
    """Looks at a condition that nothing announces, until it holds."""
    pause = threading.Event()
    for _ in range(int(timeout / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"not within {timeout} s: {what}")


def tree(folder):
    """Every file below `folder` that people see, by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def drop(inbox, number, name=None, **how):
    """A complete scan that carries `number`, as a mover or a careful scanner delivers it."""
    name = name or f"scan{number:04}.png"
    hidden = inbox / f".{name}.part"
    marks.draw(number, **how).save(hidden, format=how.pop("format", None) or _format(name))
    hidden.rename(inbox / name)
    return inbox / name


def _format(name):
    return {"jpg": "JPEG", "tif": "TIFF"}.get(name.rpartition(".")[2], name.rpartition(".")[2].upper())


@dataclass
class Household:
    """A config with its inboxes, and the daemon that runs on it.

    Nothing is verified unless a test says so. `settings` goes over the defaults, `each` over the rules of one
    inbox; `prefix` is a command that runs it.
    """

    root: Path
    url: str
    names: tuple = ("inbox",)
    settings: dict = field(default_factory=dict)
    each: dict = field(default_factory=dict)
    program: tuple = ("-m", "dropscribe")
    process: subprocess.Popen | None = None
    prefix: tuple = ()

    def __post_init__(self):
        self.config = self.root / "dropscribe.yaml"
        self.log = self.root / "log.txt"
        for name in self.names:
            self.inbox(name).mkdir(parents=True, exist_ok=True)
        self.config.write_text(yaml.safe_dump(self._config(), sort_keys=False))
        self.config.chmod(0o600)

    def _config(self):
        inboxes = [
            {"path": str(self.inbox(name)), "name": name, "prompt": f"Prompt of {name}\nRead all text."}
            | self.each.get(name, {})
            for name in self.names
        ]
        config = {
            "ollama": {"hosts": [{"url": self.url}], "model": "qwen3.5:4b"},
            "state": str(self.root / "state"),
            "defaults": {"settle": "200ms", "rescan": "2s", "verify": "off"},
            "inboxes": inboxes,
        }
        for key, value in self.settings.items():
            config[key] = {**config[key], **value} if isinstance(value, dict) else value
        return config

    def inbox(self, name="inbox"):
        return self.root / "scans" / name

    def run(self, *args, timeout=PATIENCE):
        """Another verb on the same config; its exit code and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "dropscribe", *args, "-c", str(self.config)],
            capture_output=True, text=True, timeout=timeout, check=False, cwd=self.root,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, *self.program, "run", "-c", str(self.config)],
                stdout=log, stderr=log, cwd=self.root, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def terminate(self, timeout=PATIENCE):
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def status(self):
        """The status as JSON, from the daemon or, without one, from the folders."""
        answers = []

        def told():  # a daemon that only just starts or ends gives none
            answers.append(self.run("status", "--json"))
            return answers[-1][0] == 0

        until(told, "a status")
        return json.loads(answers[-1][1])

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.kill()
        if kind is not None:
            print(self.said()[-6000:])


def filed(inbox):
    """Scan and text of each pair in done/, by the mark that the text names."""
    pairs = {}
    for path in (inbox / "done").iterdir():
        if path.suffix == ".md":
            text = path.read_text()
            number = int(text.split()[1])
            scans = [
                other for other in path.parent.glob(f"{glob.escape(path.stem)}.*") if other.suffix != ".md"
            ]
            assert len(scans) == 1, f"{path.name} belongs to {scans}"
            assert number not in pairs, f"{number} was filed twice"
            pairs[number] = (scans[0], text)
    return pairs


def number_in(scan):
    from PIL import Image

    with Image.open(scan) as image:
        return marks.read(image)


def assert_filed(inbox, numbers, prompt):
    """Every one of `numbers` is in done/ as one pair, and nothing else is anywhere."""
    pairs = filed(inbox)
    assert set(pairs) == set(numbers)
    for number, (scan, text) in pairs.items():
        assert number_in(scan) == number, f"{scan.name} has the text of {number}"
        assert text.splitlines()[1].strip() == prompt
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
    left = {path.name for path in inbox.iterdir()}
    assert left == {"done", "failed"}
    assert not list((inbox / "failed").iterdir())
    assert len(list((inbox / "done").iterdir())) == 2 * len(pairs)


def asked(server):
    """The marks that the server was asked to read, in order of arrival, each as often as it was asked."""
    return [r.mark for r in server.received if r.path == "/api/chat" and r.mark is not None]
