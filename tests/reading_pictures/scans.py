"""Small scans of every kind, made with Pillow."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageDraw

from dropscribe.reading.document import Limits, open_document
from dropscribe.reading.picture import prepare
from dropscribe.values import Size

LIMITS = Limits(bytes=5_000_000, pixels=4_000_000)
ROOMY = Size(pixels=2_000_000, side=1800)

SAVED_AS = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "JPEG": ["L", "RGB", "CMYK"],
    "WEBP": ["RGB", "RGBA"],
    "BMP": ["1", "L", "P", "RGB", "RGBA"],
    "GIF": ["1", "L", "P", "RGB", "RGBA"],
    "TIFF": ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB", "YCbCr"],
    "PPM": ["1", "L", "RGB", "I;16"],
    "JPEG2000": ["L", "LA", "RGB", "RGBA", "I;16"],
}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def drawing(width: int = 160, height: int = 120) -> Image.Image:
    """Four corners that differ, so that any turn or flip shows, in plain areas that JPEG keeps."""
    image = Image.new("RGB", (width, height), (250, 250, 250))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=(200, 30, 30))
    pen.rectangle((width // 2, 0, width, height // 4 - 1), fill=(30, 30, 200))
    pen.rectangle((0, height // 2, width // 4 - 1, height), fill=(20, 20, 20))
    return image


def in_mode(mode: str, image: Image.Image | None = None) -> Image.Image:
    image = image or drawing()
    if mode in {"I;16", "I", "F"}:
        grey = image.convert("L").convert("I").point(lambda value: value * 257 + 0)
        return grey.convert(mode)
    if mode == "LAB":
        return Image.merge("LAB", (image.convert("L"), *[Image.new("L", image.size, 128)] * 2))
    return image.convert("L").convert("LA") if mode == "LA" else image.convert(mode)


def opened(tmp_path, data: bytes, limits: Limits = LIMITS):
    path = tmp_path / "scan"
    path.write_bytes(data)
    return open_document(path, limits)


def prepared(tmp_path, data: bytes, size: Size = ROOMY):
    """The Picture and what it shows."""
    with opened(tmp_path, data) as document:
        picture = prepare(document.page(1), size)
    shown = Image.open(BytesIO(picture.data))
    shown.load()
    return picture, shown


def differs(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures of one size, in shades of 0 to 255."""
    from PIL import ImageChops, ImageStat

    assert one.size == other.size
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(difference).mean)
