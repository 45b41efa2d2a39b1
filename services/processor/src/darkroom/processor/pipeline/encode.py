"""How pictures are written: one table of options for each format, effort by size."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from PIL import Image

from darkroom.contracts.images import ImageFormat
from darkroom.contracts.recipes import Output
from darkroom.processor.pipeline.findings import flattened

WRITABLE: Final = frozenset(
    {ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.GIF, ImageFormat.AVIF}
)
DEFAULT_QUALITY: Final = 82
# From here on colour at half resolution is what one would see first.
FULL_CHROMA_QUALITY: Final = 90
_FULL_CHROMA: Final = 0
_HALF_CHROMA: Final = 2
# Better Huffman tables save 4 % and double the time; below a megapixel that time is nothing.
_OPTIMISED_BELOW: Final = 1_000_000
# The largest picture we take must be written within the child's time, so effort falls with
# size: pixels up to the bound, WebP method, PNG level, AVIF speed.
_EFFORTS: Final = (
    (4_000_000, 4, 6, 7),
    (16_000_000, 2, 3, 8),
    (100_000_000, 0, 1, 10),
)
# AVIF's scale is its own: its 60 looks like the 82 of a JPEG.
_AVIF_SHARE: Final = 0.73

# Smaller frames are looked at whole: a few pixels of a rare colour may be all there is of it.
_PALETTE_WHOLE_SIDE: Final = 400
_PALETTE_STEP: Final = 4

Options = dict[str, Any]


def format_for(output: Output, source: ImageFormat, image: Image.Image) -> ImageFormat:
    """Keep the source's format where it can be written, else the plainest one that fits."""
    wanted = output.format or source
    if wanted in WRITABLE:
        return wanted
    return ImageFormat.PNG if image.mode == "RGBA" else ImageFormat.JPEG


def options_for(
    image_format: ImageFormat, output: Output, image: Image.Image, *, subsampling: int | None
) -> Options:
    """Choose encoder options; `subsampling` is the source's own, where it was a JPEG."""
    quality = output.quality or DEFAULT_QUALITY
    return _OPTIONS[image_format](image.width * image.height, quality, subsampling)


def writable(image: Image.Image, image_format: ImageFormat) -> Image.Image:
    """Return the picture in a mode the format can hold: JPEG shows transparency as white."""
    if image_format is ImageFormat.JPEG and image.mode not in {"L", "RGB"}:
        return flattened(image)
    if image_format is ImageFormat.GIF and image.mode == "RGB":
        return _with_palette(image)
    return image


def _with_palette(image: Image.Image) -> Image.Image:
    """Choose 256 colours from every fourth pixel: all of them take five times as long."""
    side = max(image.size)
    step = _PALETTE_STEP if side > _PALETTE_WHOLE_SIDE else 1
    size = (max(1, image.width // step), max(1, image.height // step))
    chosen = image.resize(size, Image.Resampling.NEAREST).quantize(256)
    return image.quantize(palette=chosen, dither=Image.Dither.NONE)


def _jpeg(pixels: int, quality: int, subsampling: int | None) -> Options:
    keeps_chroma = quality >= FULL_CHROMA_QUALITY and subsampling in {None, _FULL_CHROMA}
    return {
        "quality": quality,
        "subsampling": _FULL_CHROMA if keeps_chroma else _HALF_CHROMA,
        "optimize": pixels < _OPTIMISED_BELOW,
    }


def _png(pixels: int, _quality: int, _subsampling: int | None) -> Options:
    return {"compress_level": _effort(pixels)[2]}


def _webp(pixels: int, quality: int, _subsampling: int | None) -> Options:
    return {"quality": quality, "method": _effort(pixels)[1]}


def _gif(_pixels: int, _quality: int, _subsampling: int | None) -> Options:
    return {}


def _avif(pixels: int, quality: int, _subsampling: int | None) -> Options:
    speed = _effort(pixels)[3]
    return {"quality": round(quality * _AVIF_SHARE), "speed": speed, "max_threads": 1}


def _effort(pixels: int) -> tuple[int, int, int, int]:
    return next(effort for effort in _EFFORTS if pixels <= effort[0])


_OPTIONS: Final[Mapping[ImageFormat, Callable[[int, int, int | None], Options]]] = {
    ImageFormat.JPEG: _jpeg,
    ImageFormat.PNG: _png,
    ImageFormat.WEBP: _webp,
    ImageFormat.GIF: _gif,
    ImageFormat.AVIF: _avif,
}
