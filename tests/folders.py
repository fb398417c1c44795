"""An inbox with its folders and rules, for tests that need no config file."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace

import pytest

from dropscribe.config.values import Inbox, Limits, Output, Pdf, Prepare

PROMPT = "Prompt of inbox\nRead all text."


def an_inbox(root, *, output=None, pdf=None, prepare=None, limits=None, **changes):
    """Rules of an inbox `root`/inbox that exists; `changes` are fields of them, the others fields of their parts."""
    path = root / "inbox"
    for folder in (path, path / "done", path / "failed"):
        folder.mkdir(parents=True, exist_ok=True)
    rules = Inbox(
        name="inbox",
        path=path,
        create=False,
        prompt=PROMPT,
        engine="ollama",
        models=("qwen3.5:4b",),
        options={"temperature": 0, "num_ctx": 8192, "num_predict": 4096},
        keep_alive="30m",
        recursive=False,
        patterns=("*",),
        ignore=(),
        settle=0.2,
        rescan=None,
        watch="auto",
        give_up_arriving=1800.0,
        pages="auto",
        max_pages=500,
        limits=Limits(100_000_000, 100_000_000, 60.0, 1_000_000_000),
        pdf=Pdf("ignore", 200),
        prepare=Prepare(False, False, False, "auto", "skip"),
        tries=4,
        on_bad_page="fail",
        verify="off",
        on_check="done",
        repeats=0.3,
        free_space=1_000_000,
        file_mode=None,
        group=None,
        output=Output("markdown", "{stem}", path / "done", False, False, "joined", None, None),
        done=path / "done",
        failed=path / "failed",
        review=path / "review",
    )
    parts = {
        "output": replace(rules.output, **(output or {})),
        "pdf": replace(rules.pdf, **(pdf or {})),
        "prepare": replace(rules.prepare, **(prepare or {})),
        "limits": replace(rules.limits, **(limits or {})),
    }
    return replace(rules, **parts, **changes)


@contextmanager
def pinned(path):
    """Nothing in the folder `path`, or the file `path` itself, can be moved away, not even by root."""
    tool = shutil.which("chattr")
    if os.geteuid() and path.is_dir():
        path.chmod(0o555)
        undo = lambda: path.chmod(0o755)  # noqa: E731
    elif tool and subprocess.run([tool, "+i", path], capture_output=True, check=False).returncode == 0:
        undo = lambda: subprocess.run([tool, "-i", path], check=True)  # noqa: E731
    else:
        pytest.skip("this user or file system cannot pin a file")
    try:
        yield
    finally:
        undo()
