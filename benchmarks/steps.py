"""Does cutting into bands, levelling or strengthening help to read? Measured with the embedded engine.

    uv run python -m benchmarks.steps CORPUS [bands|levelling|strengthening ...]

CORPUS is a folder of scans, each with its text in NAME.gt.txt. The engine stands in for a model: it is given what
the model would see, scaled to what that makes use of. Each row: error rate by letters, and share of the words found.
Where cells may be read in another order than the truth has them, or the truth is partial, only the words tell.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from benchmarks.scores import Score, score
from dropscribe.errors import DropscribeError
from dropscribe.prompts import NO_TEXT
from dropscribe.reading.bands import bands, how_many
from dropscribe.reading.contrast import strengthened
from dropscribe.reading.document import open_document
from dropscribe.reading.engines.ocr import OcrEngine
from dropscribe.reading.join import joined
from dropscribe.reading.models import EMBEDDED, useful_size
from dropscribe.reading.picture import encoded, fitting, padded
from dropscribe.reading.skew import levelled
from dropscribe.reading.wanted import Limits, Steps
from dropscribe.stop import Stop
from dropscribe.values import Recipe, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODELS = ("gemma3:12b", "gemma4:e4b", "mistral-small3.2", "llama3.2-vision")
TURNS = (2, 4, 7)
FADED = (0.3, 0.15, 0.08)  # of the contrast is left, on paper of shade 240
WHOLE = Size(pixels=8_000_000, side=6000)
RECIPE = Recipe("ocr", "", "", {}, EMBEDDED)


class Page(NamedTuple):
    name: str
    image: Image.Image
    truth: str


def main() -> None:
    folder, *wanted = sys.argv[1:]
    pages = list(_pages(Path(folder)))
    read = partial(_read, OcrEngine())
    for name, measure in (("bands", _bands), ("levelling", _levelling), ("strengthening", _strengthening)):
        if name in (wanted or (name,)):
            measure(pages, read)


def _bands(pages: list[Page], read: Callable[[Image.Image, Size], str]) -> None:
    print("\nbands: one picture of the size that the model sees, and bands of that size")
    for model in MODELS:
        size = useful_size(model, num_ctx=8192, num_predict=4096)
        without, with_bands = [], []
        for page in pages:
            count = how_many(*page.image.size, size, dense=True)
            if count > 1:
                without.append(score(read(page.image, size), page.truth))
                with_bands.append(score(_read_in_bands(page.image, count, size, read), page.truth))
                _row(f"{model} {page.name}, {count} bands", without[-1], with_bands[-1])
        _row(f"{model}: mean of {len(without)} pages", _mean(without), _mean(with_bands))


def _levelling(pages: list[Page], read: Callable[[Image.Image, Size], str]) -> None:
    print("\nlevelling: pages turned by so many degrees, as they are and levelled")
    for degrees in (0, *TURNS):
        without, with_step = [], []
        for page in pages:
            image = page.image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
            without.append(score(read(image, EMBEDDED), page.truth))
            level = levelled(image)
            with_step.append(without[-1] if level is image else score(read(level, EMBEDDED), page.truth))
            _row(f"{degrees}° {page.name}", without[-1], with_step[-1])
        _row(f"{degrees}°: mean of {len(without)} pages", _mean(without), _mean(with_step))


def _strengthening(pages: list[Page], read: Callable[[Image.Image, Size], str]) -> None:
    print("\nstrengthening: pages faded to so much of their contrast, as they are and strengthened")
    for left in (1.0, *FADED):
        without, with_step = [], []
        for page in pages:
            image = page.image if left == 1 else _faded(page.image, left)
            without.append(score(read(image, EMBEDDED), page.truth))
            strong = strengthened(image)
            with_step.append(without[-1] if strong is image else score(read(strong, EMBEDDED), page.truth))
            _row(f"{left:.0%} {page.name}", without[-1], with_step[-1])
        _row(f"{left:.0%}: mean of {len(without)} pages", _mean(without), _mean(with_step))


def _pages(folder: Path) -> Iterator[Page]:
    for truth in sorted(folder.glob("*.gt.txt")):
        scan = truth.with_name(truth.name.removesuffix(".gt.txt"))
        try:
            document = open_document(scan, Steps(), Limits())
            page = document.page(1)
            image = page.drawn(fitting(page.sides, WHOLE))
            document.close()
        except DropscribeError as error:
            print(f"left out: {scan.name}: {error}")
            continue
        yield Page(scan.name, image, truth.read_text(encoding="utf-8").partition("\f")[0])


def _read(engine: OcrEngine, image: Image.Image, size: Size) -> str:
    seen = image.resize(fitting(image.size, size), Image.Resampling.LANCZOS)
    text = engine.ask(encoded(padded(seen)), RECIPE, stop=Stop()).text
    return "" if text == NO_TEXT else text


def _read_in_bands(
    image: Image.Image, count: int, size: Size, read: Callable[[Image.Image, Size], str]
) -> str:
    cut = bands(image, count)
    texts = [read(image.crop((0, band.top, image.width, band.bottom)), size) for band in cut]
    return joined(texts, [band.overlap > 0 for band in cut[1:]])


def _faded(image: Image.Image, left: float) -> Image.Image:
    return image.point(lambda shade: round(240 - (255 - shade) * left))


def _mean(scores: list[Score]) -> Score:
    if not scores:
        return Score(0.0, 0.0)
    return Score(fmean(score.errors for score in scores), fmean(score.words for score in scores))


def _row(name: str, without: Score, with_step: Score) -> None:
    print(
        f"{name:60} errors {without.errors:6.1%} -> {with_step.errors:6.1%}"
        f"   words {without.words:6.1%} -> {with_step.words:6.1%}",
        flush=True,
    )


if __name__ == "__main__":
    main()
