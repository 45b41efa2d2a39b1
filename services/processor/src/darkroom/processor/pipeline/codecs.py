"""Which decoders may run: the allow-list, and how they are kept to one thread."""

from functools import cache
from typing import Final

import pillow_heif
from PIL import AvifImagePlugin, Image, PngImagePlugin

from darkroom.contracts.images import ImageFormat

# Pillow knows forty formats; these are the ones that may be tried on a stranger's file.
DECODERS: Final = {
    ImageFormat.JPEG: "JPEG",
    ImageFormat.PNG: "PNG",
    ImageFormat.WEBP: "WEBP",
    ImageFormat.GIF: "GIF",
    ImageFormat.AVIF: "AVIF",
    ImageFormat.HEIC: "HEIF",
    ImageFormat.TIFF: "TIFF",
    ImageFormat.BMP: "BMP",
}
# Profiles of printers reach 2 MB; texts are dropped anyway.
_MAX_PNG_CHUNK_BYTES: Final = 4_000_000


@cache
def prepare_codecs() -> None:
    """Set the decoders up, once a process."""
    pillow_heif.register_heif_opener(thumbnails=False)
    # One job is one core.
    pillow_heif.options.DECODE_THREADS = 0
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    PngImagePlugin.MAX_TEXT_CHUNK = _MAX_PNG_CHUNK_BYTES
    PngImagePlugin.MAX_TEXT_MEMORY = _MAX_PNG_CHUNK_BYTES
    # Our own budget decides, with a verdict.
    Image.MAX_IMAGE_PIXELS = None
