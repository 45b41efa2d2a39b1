"""Honest pictures in every format, in every EXIF orientation."""

import io
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import pillow_heif
from PIL import Image

Format = Literal["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif", "heic"]

# How the stored pixels are made from the upright ones: the inverse of what a viewer does.
_STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
_ORIENTATION_TAG: Final = 0x0112
# Red, green, blue and yellow, clockwise from the upper left: no turn or mirror gives it back.
_QUARTERS: Final = ((220, 40, 40), (40, 180, 60), (230, 210, 50), (50, 70, 210))


def upright(width: int = 64, height: int = 48) -> Image.Image:
    """Return the pixels every plain picture shows: four coloured quarters and a white corner."""
    pixels = np.empty((height, width, 3), np.uint8)
    middle_y, middle_x = height // 2, width // 2
    pixels[:middle_y, :middle_x] = _QUARTERS[0]
    pixels[:middle_y, middle_x:] = _QUARTERS[1]
    pixels[middle_y:, :middle_x] = _QUARTERS[2]
    pixels[middle_y:, middle_x:] = _QUARTERS[3]
    pixels[: height // 8, : width // 8] = 255
    return Image.fromarray(pixels)


def picture(kind: Format, width: int = 64, height: int = 48, **options: Any) -> bytes:
    """Return a picture in the named format; options are those of the format's own function."""
    return _WRITERS[kind](width, height, **options)


def jpeg(
    width: int = 64,
    height: int = 48,
    *,
    orientation: int | None = None,
    quality: int = 92,
    **options: Any,
) -> bytes:
    """Return a JPEG that looks like `upright` to a viewer that honours its orientation."""
    # Full colour resolution, so that the quarters' borders stay where they are.
    options = {"quality": quality, "subsampling": 0} | options
    return _saved("JPEG", (width, height), orientation, options)


def png(
    width: int = 64, height: int = 48, *, orientation: int | None = None, **options: Any
) -> bytes:
    """Return a PNG in RGB."""
    return _saved("PNG", (width, height), orientation, options)


def webp(
    width: int = 64, height: int = 48, *, orientation: int | None = None, **options: Any
) -> bytes:
    """Return a lossless WebP."""
    return _saved("WEBP", (width, height), orientation, {"lossless": True} | options)


def tiff(
    width: int = 64, height: int = 48, *, orientation: int | None = None, **options: Any
) -> bytes:
    """Return a TIFF."""
    return _saved("TIFF", (width, height), orientation, options)


def avif(
    width: int = 64, height: int = 48, *, orientation: int | None = None, **options: Any
) -> bytes:
    """Return an AVIF."""
    return _saved("AVIF", (width, height), orientation, {"quality": 90} | options)


def heic(width: int = 64, height: int = 48, *, quality: int = 90) -> bytes:
    """Return a HEIC, as telephones take them."""
    buffer = io.BytesIO()
    # Straight from its own library: Pillow writes it only in processes that registered it.
    pillow_heif.from_pillow(upright(width, height)).save(buffer, quality=quality)
    return buffer.getvalue()


def gif(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """Return a GIF of one frame."""
    return _saved("GIF", (width, height), None, options)


def bmp(width: int = 64, height: int = 48, **options: Any) -> bytes:
    """Return a BMP."""
    return _saved("BMP", (width, height), None, options)


@lru_cache(maxsize=4)
def photograph(width: int = 4_000, height: int = 3_000, *, seed: int = 7) -> bytes:
    """Return a JPEG with a photograph's statistics: soft shapes, fine grain; 3-5 MB at 12 MP."""
    random = np.random.default_rng(seed)
    shapes = np.zeros((height, width, 3), np.int16)
    # Each octave doubles the detail and loses half the strength, as natural scenes do.
    for cells, strength in ((6, 110), (24, 55), (96, 28)):
        coarse = random.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        shapes += np.asarray(smooth, np.int16) * strength // 256
    tile = random.normal(0, 7, (512, 512, 1)).astype(np.int16)
    grain = np.tile(tile, (height // 512 + 1, width // 512 + 1, 1))[:height, :width]
    pixels = np.clip(shapes + grain + 24, 0, 255).astype(np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=90, subsampling=2)


def opened(content: bytes) -> Image.Image:
    """Decode a picture whole."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def size_of(content: bytes) -> tuple[int, int]:
    """Return width and height as stored."""
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Encode an image with Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _saved(
    kind: str, size: tuple[int, int], orientation: int | None, options: dict[str, Any]
) -> bytes:
    image = upright(*size)
    if orientation is None:
        return encoded(image, kind, **options)
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = orientation
    if orientation in _STORED:
        image = image.transpose(_STORED[orientation])
    return encoded(image, kind, exif=exif, **options)


_WRITERS: Final = {
    "jpeg": jpeg,
    "png": png,
    "webp": webp,
    "gif": gif,
    "tiff": tiff,
    "bmp": bmp,
    "avif": avif,
    "heic": heic,
}
