"""A page becomes the picture that is sent: upright, flattened, 8 bits, grey or RGB, no larger than useful."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

from dropscribe.errors import BadScan
from dropscribe.reading.document import DAMAGE, damage_is_bad_scan
from dropscribe.values import Picture

if TYPE_CHECKING:
    from dropscribe.values import Size

MIN_SIDE = 64
MAX_RATIO = 100
"""Ollama 0.24 panics below 28 pixels a side and above a ratio of 1:200 (qwen-vl); this keeps well clear."""

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def prepare(image: Image.Image, size: Size) -> Picture:
    """`image`, a page as `Document.page` gives it, ready to be sent within `size`; raises BadScan."""
    kind = image.format or "picture"
    with damage_is_bad_scan(kind):
        stretch = _stretch(image)
        target = fitting(_natural(image.size, stretch), size)
        # JPEG decodes to a half or a quarter at less cost; twice the target leaves LANCZOS its work.
        image.draft(None, (2 * target[0], 2 * target[1]))
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        image = _plain(image)
        if image.size != target:
            image = image.resize(target, Image.Resampling.LANCZOS)
        if image.mode == "CMYK":
            image = _by_profile(image)
        if turn is not None:
            image = image.transpose(turn)
        return _encoded(_padded(image), lossy=kind in {"JPEG", "MPO"})


def fitting(natural: tuple[int, int], size: Size) -> tuple[int, int]:
    """The sides of a picture of `natural` sides within `size`, never larger than it is."""
    width, height = natural
    scale = min(1.0, size.side / max(natural), math.sqrt(size.pixels / (width * height)))
    return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))


def _stretch(image: Image.Image) -> float:
    """How much higher than wide a pixel is: about 2 in a fax of 204 × 98 dots per inch."""
    try:
        across, down = (float(dots) for dots in image.info["dpi"])
    except (KeyError, TypeError, ValueError):
        return 1.0
    if not (50 <= across <= 2400 and 50 <= down <= 2400 and 1 / 4 <= across / down <= 4):
        return 1.0
    # Pillow reports the size of a TIFF as it will be once decoded and turned, but its dots as stored.
    turned = image.format == "TIFF" and _orientation(image) in _ON_ITS_SIDE
    return down / across if turned else across / down


def _natural(size: tuple[int, int], stretch: float) -> tuple[int, int]:
    width, height = size
    return (width, round(height * stretch)) if stretch > 1 else (round(width / stretch), height)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation still to be applied: Pillow turns a TIFF as it decodes it, and drops the tag."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except DAMAGE:  # a broken EXIF block is no reason to refuse the picture
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """8 bits a sample and no palette, no transparency: L, RGB or CMYK, ready for resizing."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _eight_bits(image)
    if image.has_transparency_data:
        image = _flattened(image)
    if image.mode in {"1", "L"} or (image.mode == "P" and _grey_palette(image)):
        return image.convert("L")
    if image.mode == "CMYK":
        return image
    image = _by_profile(image) if image.mode == "LAB" else image.convert("RGB")
    return image.convert("L") if _is_grey(image) else image


def _eight_bits(image: Image.Image) -> Image.Image:
    low, high = image.getextrema()
    scale, offset = _range(float(low), float(high), whole=image.mode != "F")  # type: ignore[arg-type]
    deep = image if image.mode in {"I", "F"} else image.convert("I")
    return deep.point(lambda value: value * scale + offset).convert("L")


def _range(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Scale and offset to 0..255. A scanner of 10 or 12 bits writes them unscaled into 16."""
    if not math.isfinite(low) or not math.isfinite(high):
        raise BadScan("the picture is damaged: its brightness is not a number")
    if whole and low >= 0 and high <= 0xFFFF:
        return 255 / (2 ** max(8, int(high).bit_length()) - 1), 0.0
    if not whole and low >= 0 and high <= 1:
        return 255.0, 0.0
    if high == low:
        return 0.0, 255.0
    return 255 / (high - low), -low * 255 / (high - low)


def _flattened(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    colours = image.convert("RGB")
    if alpha.getextrema()[0] == 255:
        return colours
    paper = Image.new("RGB", image.size, BLACK if _light_on_nothing(colours, alpha) else WHITE)
    paper.paste(colours, mask=alpha)
    return paper


def _light_on_nothing(colours: Image.Image, alpha: Image.Image) -> bool:
    """Whether white paper would swallow what is seen: most of what borders on nothing is light."""
    seen = alpha.point([0] * 128 + [255] * 128)
    border = ImageChops.subtract(seen, seen.filter(ImageFilter.MinFilter(3)))
    shades = colours.convert("L").histogram(mask=border)
    return sum(shades[160:]) > sum(shades[:160])


def _grey_palette(image: Image.Image) -> bool:
    palette = image.getpalette("RGB") or []
    return palette[0::3] == palette[1::3] == palette[2::3]


def _is_grey(image: Image.Image) -> bool:
    """Judged on averages over squares: they lose the noise of JPEG, but not a coloured pen stroke."""
    factor = max(1, min(8, min(image.size) // 100))
    red, green, blue = image.reduce(factor).split()
    lightest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue)
    _, spread = ImageChops.subtract(lightest, darkest).getextrema()
    return bool(spread <= 12)  # type: ignore[operator]


def _by_profile(image: Image.Image) -> Image.Image:
    """CMYK by the profile in the file, or by Pillow's plain formula; LAB is a profile in itself."""
    from PIL import ImageCms  # noqa: PLC0415  few scans need it, and it loads LittleCMS

    try:
        if image.mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            source = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
        rgb = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (*DAMAGE, ImageCms.PyCMSError, ImportError):
        rgb = None
    return rgb or image.convert("RGB")


def _padded(image: Image.Image) -> Image.Image:
    """White around a picture that is too small or too narrow for a model."""
    least = max(MIN_SIDE, max(image.size) // MAX_RATIO + 1)
    width, height = max(image.width, least), max(image.height, least)
    if (width, height) == image.size:
        return image
    paper = Image.new(image.mode, (width, height), 255 if image.mode == "L" else WHITE)
    paper.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return paper


def _encoded(image: Image.Image, *, lossy: bool) -> Picture:
    image.info = {}  # Pillow would write a profile, a comment or a transparent colour along
    kind = "PNG" if not lossy and _packs_well(image) else "JPEG"
    return Picture(_bytes(image, kind), kind, image.width, image.height)


def _packs_well(image: Image.Image) -> bool:
    """Whether PNG comes out no larger than JPEG, tried on a few bands: clean print yes, photographs no."""
    width, height = image.size
    band = max(1, height // 36)
    bands = [
        image.crop((0, top, width, top + band)) for top in range(height // 5, height, max(1, height // 4))
    ]
    return sum(len(_bytes(b, "PNG")) for b in bands) <= sum(len(_bytes(b, "JPEG")) for b in bands)


def _bytes(image: Image.Image, kind: str) -> bytes:
    stream = BytesIO()
    if kind == "PNG":
        image.save(stream, "PNG", compress_level=4)
    else:
        image.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()
