"""A folder of real scans through the real daemon with the embedded engine: what became of each, and at what cost.

    uv run python -m benchmarks.corpus CORPUS [--standin] [--json FILE]

CORPUS has a MANIFEST.csv with the columns `file`, `ground_truth_file` and `ground_truth_kind` (full, partial, empty,
none, or error for scans that must fail). Scans are dropped in one after another. `seconds` are those from drop to
filed, without the 200 ms in which a scan settles and the 10 s for which an incomplete or empty one is waited for;
`MB over idle` is the peak of the daemon and its decoding process over what they needed before; the embedded reader,
which holds 0.7 GB of models and buffers, is told apart. With --standin a server that answers at once is asked in
its place: what is left is what dropscribe itself takes.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.standin import Standin

from benchmarks.processes import Daemon, until
from benchmarks.scores import plain, score

PATIENCE = 120.0
GIVE_UP = 10.0
ANSWER = "What the server that stands in reads on every page."


def main() -> None:
    corpus = Path(sys.argv[1])
    with (corpus / "MANIFEST.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    results = []
    with ExitStack() as stack:
        root = stack.enter_context(tempfile.TemporaryDirectory(prefix="dropscribe-corpus-"))
        keys: dict[str, Any] = {"give_up_arriving": f"{GIVE_UP:g}s", "output": {"format": "text"}}
        ollama = None
        if "--standin" in sys.argv:
            server = stack.enter_context(Standin(reader=lambda _: ANSWER))
            ollama = {"hosts": [{"url": server.url}], "model": "qwen3.5:4b"}
            keys |= {"verify": "off", "prepare": {"turn": False}}
        else:
            keys["engine"] = "ocr"
        with Daemon(Path(root), keys, ollama) as daemon:
            until((daemon.inbox / "failed").exists, PATIENCE)
            print("| scan | filed in | seconds | MB over idle | |\n|---|---|---|---|---|")
            for row in sorted(rows, key=lambda row: row["ground_truth_kind"] == "error"):
                results.append(_through(daemon, corpus, row))
                print(_line(results[-1]), flush=True)
            reader = daemon.memory.reader_peak
    print(f"\nthe embedded reader's process: at most {reader / 1e6:.0f} MB")
    wrong = [result["file"] for result in results if result["wrong"]]
    print(f"{len(results)} scans, wrongly filed: {', '.join(wrong) or 'none'}")
    if "--json" in sys.argv:
        Path(sys.argv[sys.argv.index("--json") + 1]).write_text(json.dumps(results, indent=1))


def _through(daemon: Daemon, corpus: Path, row: dict[str, str]) -> dict[str, Any]:
    name = row["file"]
    idle = daemon.memory.start()
    began = time.monotonic()
    hidden = daemon.inbox / f".{name}.part"
    shutil.copyfile(corpus / name, hidden)
    hidden.rename(daemon.inbox / name)
    until(lambda: daemon.ended(name) or daemon.process.poll() is not None, PATIENCE)
    took = time.monotonic() - began - 0.2
    where = daemon.ended(name)
    said = daemon.log.read_text(encoding="utf-8", errors="replace")
    not_yet = re.search(rf"/{re.escape(name)}  not yet", said) is not None
    waited = not_yet or not (corpus / name).stat().st_size
    return {
        "file": name,
        "filed": where.parent.name if where else "still waiting",
        "seconds": round(max(0.0, took - (GIVE_UP if waited else 0)), 1),
        "over_idle": round((daemon.memory.peak - idle) / 1e6),
        **_judged(row, corpus, where),
    }


def _judged(row: dict[str, str], corpus: Path, where: Path | None) -> dict[str, Any]:
    kind = row["ground_truth_kind"]
    if where is None:
        return {"wrong": True, "what": "not filed"}
    if where.parent.name == "failed":
        reason = where.with_name(where.name + ".reason.txt").read_text().partition("---\n")[2]
        return {"wrong": not kind.startswith("error"), "what": reason.partition("\n\n")[0].replace("\n", " ")}
    text = where.with_suffix(".txt").read_text(encoding="utf-8")
    if ANSWER in text:
        return {"wrong": kind.startswith("error"), "what": f"asked for {text.count(ANSWER)} pages"}
    if row["ground_truth_file"]:
        return _scored(text, (corpus / row["ground_truth_file"]).read_text(encoding="utf-8"), row)
    told = f"{len(plain(text))} letters" + (" (none is right)" if kind == "empty" else "")
    return {"wrong": kind == "error", "what": told}


def _scored(text: str, truth: str, row: dict[str, str]) -> dict[str, Any]:
    """Errors by letters only where the truth is whole and in the order of reading; else the words alone tell."""
    pages = text.split("\f")
    if row["ground_truth_kind"].startswith("full (each"):
        scores = [score(page, truth) for page in pages]
    elif "\f" in truth:
        scores = [score(page, true) for page, true in zip(pages, truth.split("\f"), strict=True)]
    else:
        scores = [score(text, truth)]
    errors, words = fmean(s.errors for s in scores), fmean(s.words for s in scores)
    if row["order_matters"] != "yes" or row["ground_truth_kind"] == "partial":
        told = f"{words:.1%} of words found (the truth is partial, or its cells have no order)"
        return {"wrong": False, "words": words, "what": told}
    told = f"{errors:.1%} of letters wrong, {words:.1%} of words found"
    return {"wrong": False, "errors": errors, "words": words, "what": told}


def _line(result: dict[str, Any]) -> str:
    what = result["what"].replace("|", "\\|")
    filed, seconds = result["filed"], f"{result['seconds']:.1f}"
    return f"| `{result['file']}` | {filed} | {seconds} | {result['over_idle']} | {what} |"


if __name__ == "__main__":
    main()
