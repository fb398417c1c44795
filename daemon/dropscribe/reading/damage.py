"""Damaged and hostile bytes: whatever a decoder raises about them becomes a reason for people."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from dropscribe import formats
from dropscribe.errors import BadScan, DropscribeError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Pillow's own limit is a global that warns first; the header is checked against the limit of the config.
Image.MAX_IMAGE_PIXELS = None
# What a plugin finds wrong with a file reaches people as our reason.
logging.getLogger("PIL").setLevel(logging.CRITICAL)

# What Pillow was seen to raise on damaged bytes; AssertionError and AttributeError are slips of its own.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AssertionError,
    AttributeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@contextmanager
def damage_is_bad_scan(kind: str) -> Iterator[None]:
    """Whatever a decoder raises inside becomes BadScan with a reason for people, but for MemoryError: how much there
    may be is known elsewhere. Warnings are not shown.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        try:
            yield
        except (DropscribeError, MemoryError):
            raise
        except DAMAGE as error:
            if "out of memory" in str(error):
                raise MemoryError from error
            raise BadScan(
                f"the picture is damaged: {_in_words(error, kind)}", "scan or save it again"
            ) from error


def _in_words(error: BaseException, kind: str) -> str:
    said = str(error)
    if "truncated" in said.lower() or isinstance(error, EOFError):
        return "it ends too early"
    if "decoder object" in said:  # all that Pillow says of a WebP for which there is no memory
        return (
            "it cannot be decoded, or decoding it needs more memory than limits.memory in the config allows"
        )
    if isinstance(error, UnidentifiedImageError):
        return f"it starts like a {formats.spoken(kind)} file, but its header makes no sense"
    detail = f" ({said})" if said.isascii() and said.isprintable() and 0 < len(said) <= 80 else ""
    return f"its {formats.spoken(kind)} data cannot be decoded{detail}"
