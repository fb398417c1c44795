"""Small scans of every kind, made with Pillow."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageDraw, ImageOps
from pillow_heif import register_heif_opener

from dropscribe.reading.document import open_document
from dropscribe.reading.picture import prepare
from dropscribe.reading.wanted import Limits, Steps, Wanted
from dropscribe.values import Size

register_heif_opener()  # to save such files

LIMITS = Limits(pixels=4_000_000, pages=100)
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
    "HEIF": ["L", "RGB", "RGBA"],
    "AVIF": ["RGB", "RGBA"],
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


ORIENTATIONS = {
    1: lambda image: image,
    2: ImageOps.mirror,
    3: lambda image: image.rotate(180),
    4: ImageOps.flip,
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.rotate(90, expand=True),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.rotate(270, expand=True),
}
"""What was done to the upright picture before it was stored with this note of the camera."""

_WELL = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
    "TIFF deflate": {"compression": "tiff_adobe_deflate"},
    "TIFF G4": {"compression": "group4"},
    "HEIF": {"quality": 95, "chroma": 444},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
}


def stored(upright: Image.Image, kind: str, orientation: int) -> bytes:
    """`upright` as a device writes it that was held in this `orientation`; `kind` may name a compression too."""
    image, options = ORIENTATIONS[orientation](upright), _WELL.get(kind, {})
    if kind.startswith("TIFF"):
        return saved(image, "TIFF", tiffinfo={274: orientation}, **options)
    exif = Image.Exif()
    exif[274] = orientation
    return saved(image, kind, exif=exif.tobytes(), **options)


@contextmanager
def opened(tmp_path, data: bytes, limits: Limits = LIMITS, **steps):
    path = tmp_path / "scan"
    path.write_bytes(data)
    document = open_document(path, Steps(**steps), limits)
    try:
        yield document
    finally:
        document.close()


def sent(document, number: int = 1, size: Size = ROOMY, turn: int = 0, **steps):
    """The Picture that is sent of a page of one picture, and what it shows."""
    (picture,) = prepare(document.page(number), Wanted(number, size, turn), Steps(**steps)).pictures
    shown = Image.open(BytesIO(picture.data))
    shown.load()
    return picture, shown


def prepared(tmp_path, data: bytes, size: Size = ROOMY, **steps):
    """The same of a scan of one page."""
    with opened(tmp_path, data, **steps) as document:
        return sent(document, size=size, **steps)


def differs(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures of one size, in shades of 0 to 255."""
    from PIL import ImageChops, ImageStat

    assert one.size == other.size
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(ImageStat.Stat(difference).mean)
