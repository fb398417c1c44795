"""Scans of one to six pages, dropped as they are needed, and what has to become of each in the end."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reading_pictures.pdfs import scanned_pdf
from tests.reading_pictures.scans import saved
from tests.standin import marks
from tests.standin.answers import pseudo_words

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.standin import Standin

PASSING = {
    "empty": 0.06, "loop": 0.03, "length": 0.03, "reset": 0.02, "busy": 0.02, "runner_died": 0.01, "http": 0.02,
}  # fmt: skip
"""Faults that strike a page once, and how many pages they strike."""

HOPELESS = 0.06
"""How many scans have a page about which nothing good is ever said."""


@dataclass(frozen=True)
class Dropped:
    """A scan with its pages by their marks; `hopeless` is the one of them that is never read, 0 for none."""

    inbox: str
    name: str
    data: bytes = field(repr=False)
    pages: tuple[int, ...]
    hopeless: int = 0

    def text(self, prompt: str) -> str:
        pages = [f"scan {page}\n{prompt}\n{pseudo_words(str(page))}" for page in self.pages]
        marked = [f"<!-- page {number} -->\n\n{page}" for number, page in enumerate(pages[1:], 2)]
        return "\n\n".join([pages[0], *marked]) + "\n"


class Sender:
    """Drops scans into inboxes, and tells the stand-in what will go wrong with them."""

    def __init__(self, chance: random.Random, server: Standin) -> None:
        self.sent: list[Dropped] = []
        self._chance = chance
        self._server = server
        self._page = 0

    def send(self, name: str, inbox: Path) -> None:
        pages = tuple(self._page + n for n in range(1, self._chance.randint(1, 6) + 1))
        self._page = pages[-1]
        hopeless = self._chance.choice(pages) if self._chance.random() < HOPELESS else 0
        kind = self._chance.choice(["tif", "pdf"] if len(pages) > 1 else ["tif", "pdf", "png"])
        scan = Dropped(name, f"scan{len(self.sent):05}.{kind}", _scan(kind, pages), pages, hopeless)
        self.sent.append(scan)
        self._plan(scan)
        hidden = inbox / f".{scan.name}.part"
        hidden.write_bytes(scan.data)
        hidden.rename(inbox / scan.name)

    def _plan(self, scan: Dropped) -> None:
        if scan.hopeless:
            self._server.script("empty", mark=scan.hopeless, times=None)
        for page in scan.pages:
            kind, *_ = self._chance.choices([*PASSING, ""], [*PASSING.values(), 1 - sum(PASSING.values())])
            if kind and page != scan.hopeless:
                self._server.script(kind, mark=page)


def _scan(kind: str, pages: tuple[int, ...]) -> bytes:
    first, *others = [marks.draw(page).convert("L") for page in pages]
    if kind == "pdf":
        return scanned_pdf(first, *others)
    if kind == "png":
        return saved(first, "PNG")
    return saved(first, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")


def files(folder: Path) -> dict[str, bytes]:
    return {os.fsdecode(path.name): path.read_bytes() for path in folder.iterdir() if path.is_file()}
