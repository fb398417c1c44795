"""Homes for lives: an inbox with its scans, what has to become of them, and whoever begets the lives."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from tests.reading_pictures.scans import saved
from tests.standin import Standin, marks
from tests.torture.life import Fate, Told

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = Path(__file__).parent.parent.parent
ONE, FIRST, RETRIED = 1, 2, 3
"""What the model is asked about: the page of one scan, the two pages of the other."""

BAIT = {"done/one.md": b"an older text\n", "done/one.png": b"an older scan"}
"""Strangers' files, of which nobody may touch a byte."""


def _scans() -> dict[str, bytes]:
    pages = [marks.draw(number).convert("L") for number in (FIRST, RETRIED)]
    two = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    return {"one.png": saved(marks.draw(ONE), "PNG"), "two.tif": two}


SCANS = _scans()


@dataclass(frozen=True)
class Home:
    """An inbox with two scans in a folder of its own; `elsewhere`: where done/ lies, if not in the inbox.

    `log`: where what a life says goes, if not beside the inbox.
    """

    root: Path
    url: str
    elsewhere: Path | None = None
    log: Path | None = None

    def __post_init__(self) -> None:
        self.inbox.mkdir(parents=True)
        self.done.mkdir(parents=True)
        for name, data in SCANS.items():
            (self.inbox / name).write_bytes(data)
        for name, data in BAIT.items():
            (self.done / Path(name).name).write_bytes(data)
        inbox = {
            "path": str(self.inbox),
            "done": str(self.done),
            "output": {"folder": str(self.done)},
            "verify": "off",
        }
        config = {
            "ollama": {"hosts": [{"url": self.url}], "model": "qwen3.5:4b"},
            "state": str(self.root / "state"),
            "inboxes": [
                {
                    **inbox,
                    "prompt": f"Read all text.\n{self.root}",
                    "free_space": "1MB",
                    "prepare": {"turn": False},
                }
            ],
        }
        self.config.write_text(yaml.safe_dump(config))
        self.config.chmod(0o600)

    @property
    def config(self) -> Path:
        return self.root / "dropscribe.yaml"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def done(self) -> Path:
        return self.elsewhere or self.inbox / "done"

    @property
    def folders(self) -> list[str]:
        """Whose operations pass the gate."""
        own = [self.inbox, self.root / "state"]
        return [str(folder) for folder in own + ([self.elsewhere] if self.elsewhere else [])]

    def tree(self) -> dict[str, bytes]:
        """Every file, hidden ones too: of the inbox, `done/…` of done, wherever that lies."""
        found = _files(self.inbox)
        if self.elsewhere:
            found |= {f"done/{name}": data for name, data in _files(self.elsewhere).items()}
        return found


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Bench:
    """A stand-in and a begetter of lives; used by one thread."""

    def __init__(self) -> None:
        self.server = Standin()
        self._begetter: subprocess.Popen[str] | None = None
        self.filed: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        self.server.up()
        self._begetter = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.life"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self._begetter is not None
        assert self._begetter.stdin is not None
        self._begetter.stdin.close()
        self._begetter.wait(60)
        assert self._begetter.stdout is not None
        self._begetter.stdout.close()
        self.server.close()

    def home(self, root: Path, elsewhere: Path | None = None, log: Path | None = None) -> Home:
        """A fresh one; the first answer about one of its pages will be bad."""
        self.server.faults.clear()
        self.server.script("empty", mark=RETRIED)
        return Home(root, self.server.url, elsewhere, log)

    def live(self, home: Home, fate: Fate = Fate()) -> Told:  # noqa: B008 - frozen
        assert self._begetter is not None
        assert self._begetter.stdin is not None
        assert self._begetter.stdout is not None
        log = str(home.log or home.root / "log.txt")
        order = {"config": str(home.config), "log": log, "folders": home.folders, "fate": asdict(fate)}
        print(json.dumps(order), file=self._begetter.stdin, flush=True)
        return Told(**json.loads(self._begetter.stdout.readline()))

    def asked(self, home: Home) -> list[int]:
        """The pages that were asked about, in order; a request of a killed life may come late."""
        return [
            r.mark
            for r in self.server.received
            if r.mark is not None and r.prompt is not None and str(home.root) in r.prompt
        ]


def check_whole(home: Home, filed: dict[str, bytes]) -> None:
    """What must be true at every moment; `filed` is the tree of a home whose scans are filed."""
    tree = {name: data for name, data in home.tree().items() if not _is_hidden(name)}
    for name, data in BAIT.items():
        assert tree.pop(name, None) == data, f"{name} was touched"
    for name, original in SCANS.items():
        stem, ending = name.split(".")
        placed = [place for place, data in tree.items() if data == original]
        assert placed, f"{name} is lost"
        scans = [place for place in placed if place.startswith("done/")]
        texts = [place for place in tree if place.startswith(f"done/{stem}") and place.endswith(".md")]
        assert len(scans) <= 1, f"{name} is filed twice: {scans}"
        assert len(texts) <= 1, f"{name} has two texts: {texts}"
        assert len(texts) >= len(scans), f"{name} is filed without its text"
        assert not scans or texts[0] == scans[0].removesuffix(ending) + "md", f"{scans} goes not with {texts}"
        for place in placed + texts:
            assert tree.pop(place) == (original if place in placed else filed[_expected(place, filed)])
    assert not tree, f"nobody knows what these are: {sorted(tree)}"


def _expected(text: str, filed: Iterable[str]) -> str:
    """The name in `filed` of the text of the same scan: another number may have been free."""
    start = text[: len("done/one")]
    return next(
        name for name in filed if name.startswith(start) and name.endswith(".md") and name not in BAIT
    )


def _is_hidden(name: str) -> bool:
    return "/." in f"/{name}"
