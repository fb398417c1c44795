"""HEIC and HEIF, the photos of phones: the only importer of pillow-heif."""

from __future__ import annotations

import pillow_heif


def register() -> None:
    """Teach Pillow to open them, the main picture alone; a second call changes nothing.

    libheif turns the picture itself, by the container's own properties, and the camera's note is reset with it.
    """
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
