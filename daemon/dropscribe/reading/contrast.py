"""Whether the writing of a page is faint, and the page with its writing strengthened on white."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAINT = 80  # shades between paper and writing: print has 120 and more, also on grey paper
_BARE = 10  # shades: less is grain, and would be made into dirt
_OVER_GRAIN = 8  # times the depth of the paper itself
_WRITTEN = 0.002  # of the pixels are writing: two or three lines
_DARK = (
    0.001,
    90,
)  # so many pixels of such a shade are print, a picture or a scanner's lid: nothing is faint then
_FULL = 220  # shades from white that strengthened writing has

_REDUCED = 4  # times: the paper is looked for in a small copy
_AROUND = 9  # pixels of the small copy: wider than a stroke of handwriting


class _Depths(NamedTuple):
    """How many shades below the lightest around them the paper and the writing lie."""

    paper: int
    writing: int


def is_faint(image: Image.Image) -> bool:
    """Whether `image`, an upright flattened page (L or RGB), has writing, and all of it pale."""
    grey = image.convert("L")
    share, shade = _DARK
    if _quantile(grey.histogram(), share) < shade:
        return False
    depths = _depths(_below_paper(grey))
    return _bare(depths) < depths.writing < _FAINT


def strengthened(image: Image.Image) -> Image.Image:
    """`image` with its paper white and its writing dark; itself when it is not faint, so nothing is spoilt."""
    if not is_faint(image):
        return image
    paper, writing = _depths(_below_paper(image.convert("L")))
    shades = [
        255 - round(min(1.0, max(0.0, (depth - paper) / (writing - paper))) * _FULL) for depth in range(256)
    ]
    return Image.merge(image.mode, [_below_paper(channel).point(shades) for channel in image.split()])


def _bare(depths: _Depths) -> int:
    return max(_BARE, _OVER_GRAIN * depths.paper)


def _below_paper(channel: Image.Image) -> Image.Image:
    """By how much each pixel is darker than the paper around it, which may be darker here and there."""
    small = channel.reduce(_REDUCED)
    paper = small.filter(ImageFilter.MaxFilter(_AROUND)).filter(ImageFilter.MinFilter(_AROUND))
    smooth = paper.filter(ImageFilter.BoxBlur(_AROUND // 2))
    return ImageChops.subtract(smooth.resize(channel.size, Image.Resampling.BILINEAR), channel)


def _depths(below: Image.Image) -> _Depths:
    counts = below.histogram()
    return _Depths(_quantile(counts, 0.5), _quantile(counts, 1 - _WRITTEN))


def _quantile(counts: Sequence[int], share: float) -> int:
    """The shade that `share` of the pixels do not exceed."""
    wanted, seen = share * sum(counts), 0
    for shade, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return shade
    return len(counts) - 1
