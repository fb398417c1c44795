"""Small scans of every format, and ways to look at their bytes."""

from functools import cache
from io import BytesIO
from random import Random

from PIL import Image, ImageSequence

from dropscribe import formats
from dropscribe.intake.complete import cut_short

SAVED = {
    "PNG": {},
    "PNG in many chunks": {"format": "PNG", "compress_level": 0},
    "JPEG": {},
    "progressive JPEG": {"format": "JPEG", "progressive": True},
    "JPEG with restarts": {"format": "JPEG", "restart_marker_blocks": 3},
    "GIF": {},
    "TIFF": {},
    "compressed TIFF": {"format": "TIFF", "compression": "tiff_lzw"},
    "BigTIFF": {"format": "TIFF", "big_tiff": True},
    "BMP": {},
    "WEBP": {},
    "lossless WEBP": {"format": "WEBP", "lossless": True},
    "PPM": {},
    "JPEG2000": {},
}


@cache
def noise(side: int = 90, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture that no format can make small, so that each tenth of its file holds a part of it."""
    pixels = Random(seed).randbytes(side * side * len(mode))
    return Image.frombytes(mode, (side, side), pixels)


@cache
def scan(how: str) -> bytes:
    """A one-page scan, saved as SAVED says."""
    options = {"format": how, **SAVED[how]}
    return encoded(noise(200 if how == "PNG in many chunks" else 90), **options)


def pages(kind: str, number: int) -> bytes:
    first, *rest = (noise(seed=seed) for seed in range(number))
    return encoded(first, format=kind, save_all=True, append_images=rest)


def encoded(image: Image.Image, **options) -> bytes:
    stream = BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG whose Exif segment holds a whole JPEG of its own, end marker included."""
    thumbnail = encoded(noise(30), format="JPEG")
    whole = encoded(noise(), format="JPEG")
    segment = b"Exif\0\0" + thumbnail
    return whole[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + whole[2:]


def number_of_pages(data: bytes) -> int:
    return sum(1 for _ in ImageSequence.Iterator(Image.open(BytesIO(data))))


def judged(data: bytes) -> str | None:
    """What `cut_short` says of a file with these bytes, its format told as it is when a scan is taken up."""
    return cut_short(formats.sniff(data[: formats.HEAD]), len(data), reader(data))


def reader(data: bytes):
    return lambda offset, length: data[offset : offset + length]
