"""The outline of a file: its real format, and what its structure alone tells."""

from collections.abc import Callable, Mapping
from mmap import mmap
from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers import gif, jpeg, png, webp
from darkroom.processor.pipeline.containers.parts import Outline

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", ImageFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", ImageFormat.PNG),
    (b"GIF87a", ImageFormat.GIF),
    (b"GIF89a", ImageFormat.GIF),
    (b"II*\x00", ImageFormat.TIFF),
    (b"MM\x00*", ImageFormat.TIFF),
    (b"BM", ImageFormat.BMP),
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"})
# The brand box of a real file lists a handful; more is read as noise.
_MAX_BRAND_BYTES: Final = 256

_READERS: Final[Mapping[ImageFormat, Callable[[mmap], Outline]]] = {
    ImageFormat.JPEG: jpeg.read,
    ImageFormat.PNG: png.read,
    ImageFormat.GIF: gif.read,
    ImageFormat.WEBP: webp.read,
}


def read_outline(content: mmap) -> tuple[ImageFormat, Outline]:
    """Tell the format by content and walk it; formats without a reader have an empty outline."""
    image_format = sniff(content[: _MAX_BRAND_BYTES + 8])
    if image_format is None:
        raise Refusal(Verdict.UNSUPPORTED, "no known signature")
    reader = _READERS.get(image_format)
    return image_format, reader(content) if reader else Outline()


def sniff(head: bytes) -> ImageFormat | None:
    for signature, image_format in _SIGNATURES:
        if head.startswith(signature):
            return image_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP
    return _sniff_brands(head) if head[4:8] == b"ftyp" else None


def _sniff_brands(head: bytes) -> ImageFormat | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, end, 4)}
    if brands & _AVIF_BRANDS:
        return ImageFormat.AVIF
    return ImageFormat.HEIC if brands & _HEIC_BRANDS else None
