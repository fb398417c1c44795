"""Which files are scans: formats by their first bytes and by the endings people give them; pure."""

from __future__ import annotations

import re

HEAD = 64
"""Bytes from the start of a file that `sniff` wants to see."""

_ENDINGS = {
    "PNG": "png apng",
    "JPEG": "jpg jpeg jpe jfif mpo",
    "WEBP": "webp",
    "BMP": "bmp dib",
    "GIF": "gif",
    "TIFF": "tif tiff",
    "PPM": "pbm pgm ppm pnm",
    "JPEG2000": "jp2 j2k jpx jpf",
    "PDF": "pdf",
    "HEIF": "heic heif hif",
    "AVIF": "avif",
}
KINDS = frozenset(_ENDINGS)
"""The formats that are read, by Pillow's names where it has one."""

_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_MAGIC: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WEBP"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"), "TIFF"),
    (re.compile(rb"BM....\x00\x00\x00\x00", re.DOTALL), "BMP"),
    (re.compile(rb"P[1-6][\s#]"), "PPM"),
    (re.compile(rb"\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG2000"),
    (re.compile(rb"[\s\S]{0,16}%PDF-"), "PDF"),
    (re.compile(rb"....ftyp(?:avif|avis)", re.DOTALL), "AVIF"),
    (re.compile(rb"....ftyp(?:" + b"|".join(_HEIF_BRANDS) + rb")", re.DOTALL), "HEIF"),
)


def sniff(head: bytes) -> str | None:
    """The format that the first bytes promise, or None."""
    return next((kind for pattern, kind in _MAGIC if pattern.match(head)), None)


def spoken(kind: str) -> str:
    """The format as people call it."""
    return {"HEIF": "HEIC", "JPEG2000": "JPEG 2000", "WEBP": "WebP"}.get(kind, kind)


def by_name(name: str) -> str | None:
    """The format that the file's ending promises, or None."""
    return _BY_ENDING.get(ending(name))


def ending(name: str) -> str:
    """What stands behind the last dot of the file's name, in lower case; empty for `.hidden` and `name.`."""
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return suffix.lower() if dot and stem else ""
