"""Pictures in the colour modes that naive pipelines get wrong."""

import numpy as np
from PIL import Image

from darkroom.testing.pictures.chunks import (
    GREY,
    RGB,
    chunk,
    cmyk_profile,
    header,
    whole_png,
)
from darkroom.testing.pictures.plain import encoded, upright


def png_rgba(width: int = 64, height: int = 48) -> bytes:
    """Return `upright` fading from opaque on the left to clear on the right."""
    return encoded(_fading(width, height), "PNG")


def webp_rgba(width: int = 64, height: int = 48) -> bytes:
    """Return the same as a lossless WebP that keeps the colour under clear pixels."""
    return encoded(_fading(width, height), "WEBP", lossless=True, exact=True)


def png_grey_alpha(width: int = 64, height: int = 48) -> bytes:
    """Return a grey picture with alpha."""
    return encoded(_fading(width, height).convert("LA"), "PNG")


def png_grey16(width: int = 64, height: int = 48) -> bytes:
    """Return a 16-bit grey ramp, black on the left to white on the right."""
    ramp = np.linspace(0, 65_535, width).astype(">u2").tobytes()
    return whole_png(header(width, height, bits=16, colour=GREY), [ramp] * height)


def png_rgb16(width: int = 64, height: int = 48) -> bytes:
    """Return `upright` in 16 bits a channel; the low byte repeats the high one."""
    pixels = np.asarray(upright(width, height), np.uint16) * 257
    rows = [row.astype(">u2").tobytes() for row in pixels]
    return whole_png(header(width, height, bits=16, colour=RGB), rows)


def png_palette_alpha(width: int = 64, height: int = 48) -> bytes:
    """Return `upright` with a palette whose entries have degrees of transparency."""
    image = upright(width, height).quantize(16)
    # The first entries clear, half clear, nearly opaque; those left out are opaque.
    return encoded(image, "PNG", transparency=bytes((0, 128, 200)))


def png_one_bit(width: int = 64, height: int = 48) -> bytes:
    """Return `upright` in black and white, one bit a pixel."""
    return encoded(upright(width, height).convert("1"), "PNG")


def jpeg_cmyk(width: int = 64, height: int = 48, *, has_profile: bool = False) -> bytes:
    """Return `upright` as CMYK, inverted and marked by Adobe as printers' programs write it."""
    options = {"icc_profile": cmyk_profile()} if has_profile else {}
    image = upright(width, height).convert("CMYK")
    return encoded(image, "JPEG", quality=92, subsampling=0, **options)


def png_with_chunk(name: bytes, content: bytes, width: int = 16, height: int = 16) -> bytes:
    """Return a small honest PNG with one chunk of the caller's before its pixels."""
    rows = [bytes(3 * width)] * height
    return whole_png(header(width, height), rows, chunk(name, content))


def _fading(width: int, height: int) -> Image.Image:
    image = upright(width, height).convert("RGBA")
    alpha = np.tile(np.linspace(255, 0, width).astype(np.uint8), (height, 1))
    image.putalpha(Image.fromarray(alpha))
    return image
