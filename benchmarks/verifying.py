"""What verifying costs: real pages through two real daemons in turn, one that verifies and one that does not.

    uv run python -m benchmarks.verifying CORPUS [--seconds 5] [--pages 6]

A stand-in server takes so many seconds for each answer, which is the true text of the page. Each page is dropped into
the one inbox and then into the other, so that both meet the same machine; seconds run from the request for it until
the scan is filed, starting the second reader included for the first page.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from tests.standin import Standin

from benchmarks.processes import READER, Daemon, until

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 300.0


class Took(NamedTuple):
    """Seconds from request to filed; of CPU in the second reader."""

    page: float
    cpu: float


def main() -> None:
    corpus = Path(sys.argv[1])
    seconds, count = _option("--seconds", 5), _option("--pages", 6)
    said = {"text": ""}
    with (
        tempfile.TemporaryDirectory() as root,
        Standin(first_token_seconds=seconds, reader=lambda _: said["text"]) as server,
    ):
        without, with_it = (_daemon(Path(root) / name, server.url, name) for name in ("off", "on"))
        with without, with_it:
            took: dict[str, list[Took]] = {"off": [], "on": []}
            for file, truth in list(_pages(corpus))[:count]:
                said["text"] = truth
                for name, daemon in (("off", without), ("on", with_it)):
                    took[name].append(_one(daemon, server, file))
                off, on = took["off"][-1], took["on"][-1]
                print(
                    f"{file.name}: {off.page:.2f} s, verified {on.page:.2f} s, {on.cpu:.1f} s of CPU",
                    flush=True,
                )
            peak = with_it.memory.reader_peak
        found = with_it.log.read_text().count("  verified ")
    _print(took, seconds, peak, found)


def _option(name: str, default: int) -> int:
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def _daemon(root: Path, url: str, verify: str) -> Daemon:
    root.mkdir()
    return Daemon(root, {"verify": verify, "model": "qwen3.5:4b"}, {"hosts": [{"url": url}]})


def _pages(corpus: Path) -> Iterator[tuple[Path, str]]:
    with (corpus / "MANIFEST.csv").open(newline="", encoding="utf-8") as rows:
        full = [
            row for row in csv.DictReader(rows) if row["ground_truth_kind"] == "full" and row["pages"] == "1"
        ]
    for row in full:
        yield corpus / row["file"], (corpus / row["ground_truth_file"]).read_text(encoding="utf-8")


def _one(daemon: Daemon, server: Standin, file: Path) -> Took:
    before, cpu = len(server.received), _cpu(daemon.process.pid)
    hidden = daemon.inbox / f".{file.name}.part"
    shutil.copy(file, hidden)
    hidden.rename(daemon.inbox / file.name)
    until(lambda: daemon.ended(file.name), _PATIENCE)
    end = time.monotonic()
    request = next(each for each in server.received[before:] if each.path == "/api/chat")
    return Took(end - request.at, _cpu(daemon.process.pid) - cpu)


def _cpu(parent: int) -> float:
    """Seconds of CPU that the embedded reader of this daemon has used."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = folder.joinpath("stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and READER in folder.joinpath("cmdline").read_text():
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def _print(took: dict[str, list[Took]], seconds: int, peak: int, found: int) -> None:
    print(f"\n{len(took['on'])} pages, answers of {seconds} s, {found} verified")
    print("| | off | on | on / off |\n|---|---|---|---|")
    for what, of in (("median", median), ("mean", fmean), ("longest", max)):
        off, on = (of([each.page for each in took[name]]) for name in ("off", "on"))
        print(f"| seconds a page, {what} | {off:.2f} | {on:.2f} | {on / off:.2f} |")
    cpu = [each.cpu for each in took["on"]]
    print(f"CPU of the second reader: median {median(cpu):.1f} s a page, at most {max(cpu):.1f} s")
    print(f"memory of its process: at most {peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
