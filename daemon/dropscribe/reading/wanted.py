"""What is asked of the decoding process and what comes back, as frozen values and as JSON; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from dropscribe.values import Picture, Size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What a scan may have or cost at most: `pixels` in one page, `pages`, `memory` in bytes to decode it,
    `seconds` for opening it and for each page.
    """

    pixels: int = 100_000_000
    pages: int = 500
    memory: int = 1_000_000_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Steps:
    """How a page is prepared besides being turned upright and brought to size.

    `frames`: every picture of an animation is a page. `dpi`: the finest rendering of pages that are drawn, not
    scanned. `text_layer`: the text that a PDF page brings along is its text. `blank`: a page with nothing on it
    gives no picture. `bands`: which pages are sent as several pictures, where one is too small for them:
    very `long` ones, `dense` ones too, or none.
    """

    frames: bool = False
    dpi: int = 200
    text_layer: bool = False
    deskew: bool = False
    contrast: bool = False
    bands: Literal["", "long", "dense"] = ""
    blank: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One page: within `size`, turned clockwise by `turn` degrees (0, 90, 180 or 270) after the camera's note.

    `bands`: into at least so many pictures it is cut, where `Steps.bands` allows any.
    """

    number: int
    size: Size
    turn: int = 0
    bands: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """One page ready to be asked about.

    `pictures` has one picture for most pages, more for a page in bands (`overlaps[n]`: band n + 1 begins with
    what ends band n), and none for a blank page or one that is its own `text`.
    """

    pictures: tuple[Picture, ...] = ()
    overlaps: tuple[bool, ...] = ()
    text: str | None = None

    @property
    def blank(self) -> bool:
        return not self.pictures and self.text is None


def request_for_pages(path: Path, steps: Steps, limits: Limits) -> dict[str, Any]:
    return {"do": "open", **_common(path, steps, limits)}


def request_for_page(path: Path, wanted: Wanted, steps: Steps, limits: Limits) -> dict[str, Any]:
    return {"do": "page", "wanted": asdict(wanted), **_common(path, steps, limits)}


def _common(path: Path, steps: Steps, limits: Limits) -> dict[str, Any]:
    return {"path": str(path), "steps": asdict(steps), "limits": asdict(limits)}


def wanted_of(request: Mapping[str, Any]) -> Wanted:
    fields = request["wanted"]
    return Wanted(fields["number"], Size(**fields["size"]), fields["turn"], fields["bands"])


def steps_of(request: Mapping[str, Any]) -> Steps:
    return Steps(**request["steps"])


def limits_of(request: Mapping[str, Any]) -> Limits:
    return Limits(**request["limits"])


def reply_with(prepared: Prepared) -> tuple[dict[str, Any], Sequence[bytes]]:
    """The head of a reply, and the data of its pictures one after another."""
    head = {
        "text": prepared.text,
        "overlaps": list(prepared.overlaps),
        "pictures": [[p.format, p.width, p.height, len(p.data)] for p in prepared.pictures],
    }
    return head, [picture.data for picture in prepared.pictures]


def prepared_of(head: Mapping[str, Any], data: bytes) -> Prepared:
    """Raises ValueError, LookupError or TypeError for what is no reply: its sender may have been led astray."""
    pictures, start = [], 0
    for kind, width, height, length in head["pictures"]:
        if kind not in {"PNG", "JPEG"}:
            raise ValueError(f"a picture of the kind {kind!r}")
        pictures.append(Picture(data[start : start + length], kind, int(width), int(height)))
        start += length
    if start != len(data):
        raise ValueError(f"{len(data)} bytes of pictures, {start} announced")
    text = head["text"]
    return Prepared(tuple(pictures), tuple(map(bool, head["overlaps"])), text if text is None else str(text))
