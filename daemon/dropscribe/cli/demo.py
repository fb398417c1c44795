"""`dropscribe demo`: everything at work on a sample inbox, with no configuration."""

from __future__ import annotations

import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from dropscribe import log
from dropscribe.cli.once import may_go_on, reasons
from dropscribe.cli.preview import side_by_side
from dropscribe.config.hosts import normalise
from dropscribe.config.load import build
from dropscribe.config.unfit import Unfit
from dropscribe.daemon import run
from dropscribe.errors import Failure, Misconfigured, UsageError
from dropscribe.reading.models import DEFAULT_MODEL, RECOMMENDED
from dropscribe.samples import SAMPLES
from dropscribe.signals import signals
from dropscribe.stop import Stop

if TYPE_CHECKING:
    from dropscribe.config.values import Config
    from dropscribe.samples import Sample
    from dropscribe.status import Status

_PAUSE = 0.7  # seconds between two samples, so that one sees them arrive one after another


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the samples: the model of a server that answers, or the embedded engine and why it is that."""

    url: str = ""
    model: str = ""
    why_not: str = ""


@click.command("demo")
@click.option(
    "--ollama", "url", default=None, help="The Ollama server to use if it answers.  [default: local]"
)
@click.option("--embedded", is_flag=True, help="Use the embedded engine even if an Ollama server answers.")
def command(url: str | None, embedded: bool) -> int:  # noqa: FBT001 - click's form
    """See everything work on a sample inbox, with no configuration.

    Makes a folder with an inbox, starts the daemon on it, drops in five sample scans one after another, and shows
    each scan beside its text. Uses Ollama if it answers and has a model with vision, else the embedded engine.
    """
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="dropscribe-demo-"))
    stop = Stop()
    with signals(stop), (folder / "log.txt").open("w", encoding="utf-8") as log_file:
        log.configure("plain", "info", log_file)
        reader = Reader(why_not="you asked for the embedded engine") if embedded else find_reader(url, stop)
        if not reader.model:
            _check_embedded(reader, stop)
        config = build(_settings(folder, reader), folder)
        _introduce(console, config, reader)
        last = _watch(config, stop, console)
    if stop.is_set() and not _ended(last):
        console.print("Stopped. What was not read is still in the inbox.", highlight=False)
        return 130
    missing = _show(console, config)
    for line in reasons(last):
        console.print(line, highlight=False, markup=False)
    _what_next(console, folder, reader)
    return 1 if missing else 0


def find_reader(url: str | None, stop: Stop) -> Reader:
    """The first recommended model that is installed and has vision, else any with vision, else none."""
    from dropscribe.reading.engines.ollama import OllamaEngine  # noqa: PLC0415 - not needed with --embedded
    from dropscribe.reading.engines.wire import Timeouts  # noqa: PLC0415

    try:
        where = normalise(url or os.environ.get("OLLAMA_HOST") or "localhost")
    except Unfit as unfit:
        raise UsageError(f"--ollama or $OLLAMA_HOST: expected {unfit.what}") from None
    engine = OllamaEngine(where, Timeouts(connect=2.0))
    try:
        installed = engine.installed(stop=stop)
        for model in _by_preference(installed):
            try:
                engine.check(model, stop=stop)
            except Failure:
                continue
            return Reader(where, model)
    except Failure as failure:
        return Reader(why_not=failure.reason)
    finally:
        engine.close()
    return Reader(where, why_not=f"{where} has no local model with vision")


def _check_embedded(reader: Reader, stop: Stop) -> None:
    """Raises Misconfigured where there is neither a model nor the embedded engine."""
    from dropscribe.reading.engines.ocr import OcrEngine  # noqa: PLC0415

    try:
        OcrEngine().check("", stop=stop)
    except Misconfigured as missing:
        raise Misconfigured(f"{reader.why_not}, and {missing.reason}", missing.fix) from missing


def _by_preference(installed: tuple[str, ...]) -> list[str]:
    liked = [model for _, model in RECOMMENDED if model in installed]
    return [*liked, *(model for model in installed if model not in liked)]


def _settings(folder: Path, reader: Reader) -> dict[str, object]:
    inbox = {
        "path": str(folder / "inbox"),
        "create": True,
        "settle": "1s",
        "engine": "ollama" if reader.model else "ocr",
    }
    settings: dict[str, object] = {"state": str(folder / "state"), "inboxes": [inbox]}
    if reader.model:
        settings["ollama"] = {"hosts": [{"url": reader.url}], "model": reader.model}
    return settings


def _introduce(console: Console, config: Config, reader: Reader) -> None:
    inbox = config.inboxes[0]
    console.print(f"The inbox is [bold]{inbox.path}[/bold].", highlight=False)
    if reader.model:
        console.print(f"The model {reader.model} at {reader.url} reads the scans.", highlight=False)
    else:
        console.print(
            f"The embedded engine reads the scans: {reader.why_not}.",
            highlight=False,
        )
    console.print()


def _watch(config: Config, stop: Stop, console: Console) -> Status:
    said: set[str] = set()
    dropper = threading.Thread(target=_drop, args=(config.inboxes[0].path, stop), name="scanner", daemon=True)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        console=console, disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("starting", total=len(SAMPLES))

        def finished(status: Status) -> bool:
            if not dropper.ident:
                dropper.start()
            progress.update(task, completed=_count(status), description=_doing(status))
            if not console.is_terminal:
                _say_what_is_new(config, said)
            all_there = not dropper.is_alive()
            return _ended(status) or (all_there and not any(may_go_on(i, status) for i in status.inboxes))

        last = run(config, stop, until=finished)
        progress.update(task, completed=_count(last), description="done" if _ended(last) else "stopped")
    return last


def _say_what_is_new(config: Config, said: set[str]) -> None:
    """Where no progress can be shown, a line for each scan that was read since."""
    inbox = config.inboxes[0]
    for sample in SAMPLES:
        ended = [folder for folder in (inbox.done, inbox.failed) if (folder / sample.name).exists()]
        if ended and sample.name not in said:
            said.add(sample.name)
            click.echo(f"{len(said)} of {len(SAMPLES)}: {sample.name} is in {ended[0].name}/")


def _drop(inbox: Path, stop: Stop) -> None:
    """What a scanner does: one file after the other."""
    for sample in SAMPLES:
        inbox.joinpath(sample.name).write_bytes(sample.make())
        if stop.wait(_PAUSE):
            return


def _count(status: Status) -> int:
    return sum(inbox.done + inbox.failed for inbox in status.inboxes)


def _ended(status: Status) -> bool:
    return _count(status) == len(SAMPLES)


def _doing(status: Status) -> str:
    scans = status.inboxes[0].scans
    for state in ("reading", "waiting", "arriving"):
        for scan in scans:
            if scan.state == state:
                return f"{scan.name}: {state}"
    return "waiting for scans"


def _show(console: Console, config: Config) -> int:
    """Each scan beside its text; how many have none."""
    missing = 0
    for sample in SAMPLES:
        text = _text_of(sample, config)
        missing += text is None
        body = text if text is not None else "(not read: see failed/)"
        console.print(side_by_side(sample.make(), body, f"{sample.name}: {sample.title}", console.width))
        console.print()
    return missing


def _text_of(sample: Sample, config: Config) -> str | None:
    path = config.inboxes[0].done / f"{Path(sample.name).stem}.md"
    return path.read_text(encoding="utf-8") if path.exists() else None


def _what_next(console: Console, folder: Path, reader: Reader) -> None:
    lines = [f"Scans and texts lie together in {folder}/inbox/done; the log is {folder}/log.txt."]
    if reader.model:
        lines += [f"The model {reader.model} at {reader.url} read them."]
    else:
        lines += [
            "",
            (
                "The embedded engine (RapidOCR) reads print well. A vision model reads handwriting, tables and poor "
                "scans far better: install Ollama (ollama.com) on this machine or another one in your network, run "
                f"`ollama pull {DEFAULT_MODEL}` there, then the demo again."
            ),
        ]
    lines += [
        "",
        "Next: install it (`uv tool install '.[ocr]'` in a clone), then `dropscribe init`",
        "writes a configuration for your own inbox.",
    ]
    console.print("\n".join(lines), highlight=False, markup=False)
