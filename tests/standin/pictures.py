"""What the server sees in the bytes of a picture: decoded once, by the rules of its generation."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from tests.standin import marks
from tests.standin.refused import Refused, bad_picture

# from 0.30 on stb_image and, since 0.32.14, Go's WebP (model/model.go, tools/mtmd); before that Go's decoders
_NOW = ("PNG", "JPEG", "BMP", "GIF", "PSD", "PPM", "WEBP", "TGA")
_BEFORE = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_CUT = {
    "JPEG": "invalid JPEG format: short Huffman data",
    "PNG": "png: invalid format: not enough pixel data",
}
_JPEG = b"\xff\xd8"
_END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class Sight:
    """One picture as the server sees it; `problem` is what it answers when it cannot decode the bytes."""

    size: int
    sha256: str
    format: str = ""
    width: int = 0
    height: int = 0
    mark: int | None = None
    problem: Refused | None = None


def look(data: bytes, *, current: bool) -> Sight:
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        kind, width, height, mark = _decode(data, current=current)
    except Exception as error:  # noqa: BLE001 - Pillow raises anything on hostile bytes
        return Sight(len(data), sha256, problem=_problem(data, error, current=current))
    return Sight(len(data), sha256, kind, width, height, mark)


def _decode(data: bytes, *, current: bool) -> tuple[str, int, int, int | None]:
    if not current:
        return _open(data, _BEFORE)
    try:
        return _open(data, _NOW)
    except OSError:
        if not data.startswith(_JPEG):
            raise
        # stb_image takes a JPEG that is cut short and leaves the rest grey, as libjpeg does after an end mark
        return _open(data + _END_OF_JPEG, _NOW)


def _open(data: bytes, formats: tuple[str, ...]) -> tuple[str, int, int, int | None]:
    with Image.open(io.BytesIO(data), formats=formats) as image:
        kind, (width, height) = image.format or "", image.size
        # JPEG can be decoded at a fraction of its size, which is several times faster and enough for the mark
        image.draft("L", (marks.COLUMNS * 8, marks.ROWS * 24))
        image.load()
        return kind, width, height, marks.read(image)


def _problem(data: bytes, error: Exception, *, current: bool) -> Refused:
    if current:
        return bad_picture()
    kind = "PNG" if data.startswith(b"\x89PNG") else "JPEG" if data.startswith(_JPEG) else ""
    cut = isinstance(error, OSError) and "truncated" in str(error)
    why = _CUT.get(kind, "image: unknown format") if cut else "image: unknown format"
    return Refused(500, f"Failed to create new sequence: failed to process inputs: {why}")
