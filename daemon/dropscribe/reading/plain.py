"""Every way in which a picture holds its colours, as 8 bits of grey or RGB on paper."""

from __future__ import annotations

import math
from io import BytesIO

from PIL import Image, ImageChops, ImageFilter

from dropscribe.errors import BadScan
from dropscribe.reading.damage import DAMAGE

WHITE, GREY, BLACK = (255, 255, 255), (128, 128, 128), (0, 0, 0)

_BOTH = 0.3
"""Share of what borders on nothing that is light, and that is dark, for neither to be lost."""


def plain(image: Image.Image) -> Image.Image:
    """8 bits a sample and no palette, no transparency: L, RGB or CMYK, ready for resizing."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _eight_bits(image)
    if image.has_transparency_data:
        image = _flattened(image)
    if image.mode in {"1", "L"} or (image.mode == "P" and _grey_palette(image)):
        return image.convert("L")
    if image.mode == "CMYK":
        return image
    image = by_profile(image) if image.mode == "LAB" else image.convert("RGB")
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
    paper = Image.new("RGB", image.size, _paper(colours, alpha))
    paper.paste(colours, mask=alpha)
    return paper


def _paper(colours: Image.Image, alpha: Image.Image) -> tuple[int, int, int]:
    """White, unless that would swallow what borders on nothing: black for light things, grey where there are both."""
    # Where all is half transparent, that is what is to be seen.
    strongest = max(shade for shade, times in enumerate(alpha.histogram()) if times)
    least = max(1, min(128, strongest // 2))
    seen = alpha.point([0] * least + [255] * (256 - least))
    border = ImageChops.subtract(seen, seen.filter(ImageFilter.MinFilter(3)))
    shades = colours.convert("L").histogram(mask=border)
    light, dark = sum(shades[160:]), sum(shades[:160])
    if min(light, dark) > _BOTH * (light + dark):
        return GREY
    return BLACK if light > dark else WHITE


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


def by_profile(image: Image.Image) -> Image.Image:
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
