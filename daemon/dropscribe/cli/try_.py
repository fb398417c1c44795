"""`dropscribe try`: print the text of one picture and change nothing."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dropscribe import log
from dropscribe.cli.options import config_option, load_config
from dropscribe.engine_makers import engines
from dropscribe.errors import BadAnswer, BadScan, Unavailable, UsageError
from dropscribe.ledger import Ledger
from dropscribe.pages import Pages
from dropscribe.read_page import PageReader, models_of
from dropscribe.reading.crosscheck import CrossCheck
from dropscribe.reading.decoding import Decoding
from dropscribe.reading.engines.ocr import models as ocr_models
from dropscribe.reading.prove import usable
from dropscribe.reading.second import SecondReader, lines_of
from dropscribe.signals import signals
from dropscribe.stop import Stop
from dropscribe.verify import compare
from dropscribe.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.config.values import Config, Inbox


@click.command("try")
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--inbox", "name", help="The inbox whose prompt, model and rules are used; default: the first.")
@click.option(
    "--verify",
    is_flag=True,
    help="Have the embedded engine look for the text on the page, and tell what it finds.",
)
@config_option
def command(config: Path | None, image: Path, name: str | None, *, verify: bool) -> int:
    """Print the text of IMAGE as the inbox NAME would read it, and change nothing.

    IMAGE may be a document of many pages, too.
    """
    loaded = load_config(config, check_folders=False)
    log.configure("plain", "warning")
    inbox = _inbox(loaded, name)
    if not image.is_file():
        raise UsageError(f"{shown(str(image))} is no file")
    if verify and inbox.engine == "ocr":
        raise UsageError(f"inbox {inbox.name} is read by the embedded engine, which cannot check itself")
    if verify:
        ocr_models()
    stop = Stop()
    with signals(stop), tempfile.TemporaryDirectory(prefix="dropscribe-try-") as scratch:
        ledger = Ledger(Path(scratch) / "ledger.db")
        try:
            _read(image, inbox, loaded, ledger, stop, verify=verify)
        finally:
            ledger.close()
    return 0


def _inbox(config: Config, name: str | None) -> Inbox:
    if name is None:
        return config.inboxes[0]
    for inbox in config.inboxes:
        if inbox.name == name:
            return inbox
    known = ", ".join(inbox.name for inbox in config.inboxes)
    raise UsageError(f"there is no inbox {name}; the config has: {known}")


def _read(image: Path, inbox: Inbox, config: Config, ledger: Ledger, stop: Stop, *, verify: bool) -> None:
    record = ledger.open_scan(inbox.name, image.name, "try", 0, at=0.0)
    engine = engines(config, inbox.engine)[0]()
    decoding, second = Decoding(1, stop), SecondReader()
    pages = Pages(decoding, second, image.absolute(), inbox, ledger, record.id, image.name, stop)
    try:
        with _named(image):
            count = pages.count()
        models = usable(engine, models_of(inbox), stop=stop)
        reader = PageReader(engine, ledger, inbox, pages, record.id, image.name, "", models, stop)
        with _named(image):
            texts = [reader.read(number).text for number in range(1, count + 1)]
            sys.stdout.write("\n".join(texts))
            sys.stdout.flush()  # a check that is broken off costs no text
            if verify:
                for number, text in enumerate(texts, 1):
                    _verify(number, text, inbox, pages, stop)
    finally:
        engine.close()
        decoding.rest()
        second.close()


def _verify(number: int, text: str, inbox: Inbox, pages: Pages, stop: Stop) -> None:
    """On standard error, so that the text alone can be piped."""
    try:
        read = pages.read_by_second(number).result(stop=stop)
        found = compare(inbox, text, lines_of(read)) if read else None
    except (BadAnswer, Unavailable) as failure:
        found = CrossCheck("unverifiable", failure.reason)
    for line in found.told() if found else ("no engine was asked about it",):
        sys.stderr.write(f"page {number}: {shown(line)}\n")


@contextmanager
def _named(image: Path) -> Iterator[None]:
    """What is wrong with the file, or with what was made of it, begins with its name."""
    try:
        yield
    except BadScan as bad:
        raise BadScan(f"{shown(str(image))}: {bad.reason}", bad.fix) from bad
    except BadAnswer as bad:
        raise BadAnswer(bad.verdict, f"{shown(str(image))}: {bad.reason}", bad.fix) from bad
