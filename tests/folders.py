"""An inbox with its folders and rules, for tests that need no config file."""

from dataclasses import replace

from dropscribe.config.values import Inbox, Limits, Output

PROMPT = "Prompt of inbox\nRead all text."


def an_inbox(root, *, output=None, **changes):
    """Rules of an inbox `root`/inbox that exists; `changes` are fields of them, `output` fields of its output."""
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
        limits=Limits(100_000_000, 100_000_000),
        tries=4,
        repeats=0.3,
        free_space=1_000_000,
        output=Output("markdown", "{stem}", path / "done", False, False, "joined", None),
        done=path / "done",
        failed=path / "failed",
    )
    return replace(rules, output=replace(rules.output, **(output or {})), **changes)
