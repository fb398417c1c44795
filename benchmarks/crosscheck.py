"""What the cross-check finds, and what it suspects wrongly: real pages, and errors of the kinds that models make.

    uv run python -m benchmarks.crosscheck CORPUS [--times N] [--seed N]

CORPUS has a MANIFEST.csv with the columns `file`, `ground_truth_file` and `ground_truth_kind`; pages with a full text
count. Each page is read once by the embedded engine. Then its true text, spoilt in N ways of each kind, stands for
the answer of a model. `flagged`: the share of those for which the verdict is `check`, for any reason, and for the
reason that this kind is there for. `known` are figures published for the same measure on 31 pages.
"""

from __future__ import annotations

import csv
import random
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dropscribe.reading.crosscheck import CrossCheck, Line, cross_check
from dropscribe.reading.document import open_document
from dropscribe.reading.engines.ocr import PrintReader
from dropscribe.reading.models import EMBEDDED
from dropscribe.reading.picture import encoded, fitting, padded
from dropscribe.reading.wanted import Limits, Steps
from dropscribe.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropscribe.values import Picture

_INVENTED = (
    "according to our records the shipment left the warehouse before noon and nobody signed for it although the "
    "driver waited in the yard until evening while snow covered roofs bridges gardens and the quiet river beyond "
    "our neighbours promised another visit next summer when apples ripen and children swim behind the old mill "
    "several committees discussed whether funding should continue but no decision was reached despite long talks "
    "music drifted through open windows as painters finished their ladders brushes and buckets near the fountain"
).split()
_REFUSAL = (
    "I am sorry, but I cannot help with reading documents that may contain personal information of people."
)
_PREAMBLE = (
    "Certainly! Below you will find a careful transcription of everything that can be seen in the picture you have "
    "provided:\n\n"
)


class Page(NamedTuple):
    name: str
    truth: str
    lines: list[Line]


class Given(NamedTuple):
    """A true text that is to be spoilt by `chance`, and those of all pages."""

    text: str
    chance: random.Random
    all: list[str]


class Kind(NamedTuple):
    name: str
    spoil: Callable[[Given], str | None]
    known: str


def main() -> None:
    corpus = Path(sys.argv[1])
    times, seed = _option("--times", 10), _option("--seed", 1)
    print(f"seed {seed}, {times} of each kind")
    pages = list(_pages(corpus))
    sure = [page for page in pages if cross_check(page.truth, page.lines).name != "unverifiable"]
    print(f"{len(sure)} of {len(pages)} pages can be vouched for")
    print(
        "| answer | of | flagged | by passages, length or repeats | by numbers | known |\n|---|---|---|---|---|---|"
    )
    began, checked = time.process_time(), 0
    for kind in KINDS:
        chance, found = random.Random(seed), []
        for page in sure:
            for _ in range(times):
                text = kind.spoil(Given(page.truth, chance, [each.truth for each in sure]))
                if text is not None:
                    found.append(cross_check(text, page.lines))
        checked += len(found)
        print(_row(kind, found))
    print(f"{1000 * (time.process_time() - began) / checked:.1f} ms of CPU a page, {checked} checks")


def _option(name: str, default: int) -> int:
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def _row(kind: Kind, found: list[CrossCheck]) -> str:
    count = max(1, len(found))
    shares = (
        sum(one.name == "check" for one in found) / count,
        sum(bool(one.unsupported or one.missing or one.reason) for one in found) / count,
        sum(bool(one.numbers) for one in found) / count,
    )
    return (
        f"| {kind.name} | {len(found)} | "
        + " | ".join(f"{share:.1%}" for share in shares)
        + f" | {kind.known} |"
    )


def _pages(corpus: Path) -> Iterator[Page]:
    with (corpus / "MANIFEST.csv").open(newline="", encoding="utf-8") as rows:
        full = [row for row in csv.DictReader(rows) if row["ground_truth_kind"].startswith("full")]
    reader = PrintReader()
    for row in full:
        truth = (corpus / row["ground_truth_file"]).read_text(encoding="utf-8").partition("\f")[0]
        seen = _seen(corpus / row["file"])
        lines = [Line(text, sure) for _, text, sure in reader.read(seen, stop=Stop()).lines]
        check = cross_check(truth, lines)
        print(
            f"{row['file']}: {check.name}",
            *filter(None, (check.reason, check.unsupported, check.missing, check.numbers)),
            flush=True,
        )
        yield Page(row["file"], truth, lines)
    reader.rest()


def _seen(scan: Path) -> Picture:
    document = open_document(scan, Steps(), Limits())
    page = document.page(1)
    image = page.drawn(fitting(page.sides, EMBEDDED))
    document.close()
    return encoded(padded(image))


# --- good answers


def _as_it_is(page: Given) -> str:
    return page.text


def _markdown(page: Given) -> str:
    lines = [
        f"**{line}**" if line.strip() and page.chance.random() < 0.2 else line
        for line in page.text.split("\n")
    ]
    return "# " + "\n".join(
        f"- {line}" if line.strip() and page.chance.random() < 0.2 else line for line in lines
    )


def _noisy(share: float) -> Callable[[Given], str]:
    def spoil(page: Given) -> str:
        return "".join(
            page.chance.choice("abcdefghiklmnoprstuvw")
            if letter.isalpha() and page.chance.random() < share
            else letter
            for letter in page.text
        )

    return spoil


def _shuffled(page: Given) -> str:
    blocks = page.text.split("\n\n") if "\n\n" in page.text else page.text.split("\n")
    page.chance.shuffle(blocks)
    return "\n\n".join(blocks)


# --- bad ones


def _with_invented(count: int) -> Callable[[Given], str]:
    def spoil(page: Given) -> str:
        lines = page.text.split("\n")
        lines.insert(
            page.chance.randrange(len(lines) + 1),
            " ".join(page.chance.sample(_INVENTED, min(count, len(_INVENTED)))),
        )
        return "\n".join(lines)

    return spoil


def _sentence_replaced(page: Given) -> str | None:
    sentences = list(re.finditer(r"[^.!?\n][^.!?]{70,250}[.!?]", page.text))
    if not sentences:
        return None
    found = page.chance.choice(sentences)
    words = " ".join(page.chance.sample(_INVENTED, min(len(_INVENTED), len(found[0].split()))))
    return page.text[: found.start()] + words + page.text[found.end() :]


def _wrong_page(page: Given) -> str | None:
    others = [other for other in page.all if other != page.text and len(other) > 200]
    return page.chance.choice(others) if others else None


def _after_preamble(page: Given) -> str:
    return _PREAMBLE + page.text


def _refused(_page: Given) -> str:
    return _REFUSAL


def _dropped(share: float) -> Callable[[Given], str | None]:
    def spoil(page: Given) -> str | None:
        words = re.findall(r"\S+\s*", page.text)
        count = round(share * len(words))
        if len(words) < 60:
            return None
        start = page.chance.randrange(len(words) - count + 1)
        return "".join(words[:start] + words[start + count :])

    return spoil


def _cut(share: float) -> Callable[[Given], str | None]:
    def spoil(page: Given) -> str | None:
        return page.text[: round(share * len(page.text))] if len(page.text) > 300 else None

    return spoil


def _summary(page: Given) -> str | None:
    words = page.text.split()
    if len(words) < 60:
        return None
    return (
        "The document is about "
        + " ".join(page.chance.sample(words, 12))
        + " and related matters in some detail."
    )


def _looping(times: int) -> Callable[[Given], str | None]:
    def spoil(page: Given) -> str | None:
        lines = [line for line in page.text.split("\n") if sum(map(str.isalpha, line)) >= 20]
        return page.text + "\n" + "\n".join([page.chance.choice(lines)] * times) if lines else None

    return spoil


def _digit_changed(page: Given) -> str | None:
    places = list(re.finditer(r"\d[\d.,]*\d", page.text))
    if not places:
        return None
    found = page.chance.choice(places)
    at = page.chance.choice([place for place in range(*found.span()) if page.text[place].isdigit()])
    return (
        page.text[:at]
        + page.chance.choice([digit for digit in "0123456789" if digit != page.text[at]])
        + page.text[at + 1 :]
    )


KINDS = (
    Kind("as it is", _as_it_is, "0.0 %"),
    Kind("as Markdown", _markdown, "0.0 %"),
    Kind("0.5 % of the letters wrong", _noisy(0.005), "0.0 %"),
    Kind("2 % of the letters wrong", _noisy(0.02), "0.0 %"),
    Kind("blocks in another order", _shuffled, "0.0 %"),
    Kind("15 words invented", _with_invented(15), "98 %"),
    Kind("40 words invented", _with_invented(40), "100 %"),
    Kind("80 words invented", _with_invented(80), "100 %"),
    Kind("one sentence replaced", _sentence_replaced, "77 %"),
    Kind("another page", _wrong_page, "100 %"),
    Kind("a preamble of 20 words", _after_preamble, "97 %"),
    Kind("refused", _refused, "90 %"),
    Kind("10 % left out", _dropped(0.10), "78 %"),
    Kind("20 % left out", _dropped(0.20), "100 %"),
    Kind("35 % left out", _dropped(0.35), "100 %"),
    Kind("cut at 60 %", _cut(0.60), "100 %"),
    Kind("cut at 85 %", _cut(0.85), "100 %"),
    Kind("a summary", _summary, "100 %"),
    Kind("a line 25 times more", _looping(25), "94 %"),
    Kind("a line 5 times more", _looping(5), "74 %"),
    Kind("one digit changed", _digit_changed, "83 % by numbers"),
)


if __name__ == "__main__":
    main()
