"""A scan in the terminal, two pixels a character, and its text beside it."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageOps
from rich.cells import cell_len
from rich.color import Color
from rich.console import Group
from rich.panel import Panel
from rich.style import Style
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

UPPER_HALF = "▀"
NARROWEST = 70
"""Columns; below that a scan beside its text leaves both too little room."""

_ROWS = 36
_NARROWEST_IMAGE = 20
_FRAME = 4  # columns of the panel's border and padding
_GAP = 2


def half_blocks(image: bytes | Image.Image, columns: int, rows: int) -> Text:
    """`image` upright, as large as `columns` and `rows` of characters allow; true colours."""
    small = _shrunk(image, columns, 2 * rows)
    line = 3 * small.width
    pixels = small.tobytes()
    text = Text(no_wrap=True)
    for top in range(0, len(pixels), 2 * line):
        for upper in range(top, top + line, 3):
            lower = upper + line
            colours = Color.from_rgb(*pixels[upper : upper + 3]), Color.from_rgb(*pixels[lower : lower + 3])
            text.append(UPPER_HALF, Style(color=colours[0], bgcolor=colours[1]))
        text.append("\n")
    text.right_crop(1)
    return text


def side_by_side(image: bytes | Image.Image, text: str, title: str, width: int) -> RenderableType:
    """The scan beside its text, above it where the lines need the room; the text alone where there is no colour."""
    return _SideBySide(image, text, title, width)


@dataclass(frozen=True, slots=True)
class _SideBySide:
    image: bytes | Image.Image
    text: str
    title: str
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(self.width, options.max_width)
        shown: RenderableType = _plain(self.text.rstrip("\n"))
        if width >= NARROWEST and _has_colours(console, options):
            room = width - _FRAME - max((cell_len(line) for line in self.text.splitlines()), default=0) - _GAP
            beside = room >= _NARROWEST_IMAGE
            image = half_blocks(self.image, min(room, width * 2 // 5) if beside else width - _FRAME, _ROWS)
            shown = _beside(image, shown) if beside else Group(image, Text(), shown)
        yield Panel(shown, title=_plain(self.title), title_align="left", width=width)


def _beside(image: Text, text: RenderableType) -> Table:
    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(image, text)
    return grid


def _plain(text: str) -> Text:
    """What a model wrote is neither markup nor a command to the terminal."""
    return Text("".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text))


def _has_colours(console: Console, options: ConsoleOptions) -> bool:
    return console.color_system in {"truecolor", "256"} and not console.no_color and not options.ascii_only


def _shrunk(image: bytes | Image.Image, width: int, height: int) -> Image.Image:
    """Within `width` and `height`; an even number of pixels high, as two of them share a character."""
    opened = Image.open(BytesIO(image)) if isinstance(image, bytes) else image
    upright = ImageOps.exif_transpose(opened).convert("RGB")
    scale = min(width / upright.width, height / upright.height)
    wide = max(1, round(upright.width * scale))
    high = max(2, round(upright.height * scale / 2) * 2)
    return upright.resize((wide, high), Image.Resampling.LANCZOS)
