"""Which format the first bytes are; names and declared types are never asked."""

from collections.abc import Callable
from typing import Final

from darkroom.contracts.images import ImageFormat

# The longest prefix a signature needs is a GIF's colour table, 781 bytes.
HEAD_BYTES: Final = 4096
ACCEPTED: Final = "JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF and BMP"

AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
)
# Any coded picture in the same container; the other brands say which coding it is.
GENERIC_BRANDS: Final = frozenset({b"mif1", b"msf1"})
BMP_HEADER_BYTES: Final = frozenset({12, 40, 52, 56, 64, 108, 124})
GIF_SCREEN_BYTES: Final = 13
GIF_INTRODUCERS: Final = b"\x21\x2c\x3b"


def sniff(head: bytes) -> ImageFormat | None:
    """Return the format a file begins as, or None when it is none that is accepted."""
    for picture_format, begins in _SIGNATURES:
        if begins(head):
            return picture_format
    return None


def _is_jpeg(head: bytes) -> bool:
    return head.startswith(b"\xff\xd8\xff")


def _is_png(head: bytes) -> bool:
    return head.startswith(b"\x89PNG\r\n\x1a\n")


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_gif(head: bytes) -> bool:
    if head[:6] not in {b"GIF87a", b"GIF89a"}:
        return False
    if len(head) <= GIF_SCREEN_BYTES:
        return True
    # Text that begins with the six letters is no GIF: behind the colour table comes a block.
    flags = head[10]
    start = GIF_SCREEN_BYTES + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    return start >= len(head) or head[start] in GIF_INTRODUCERS


def _is_tiff(head: bytes) -> bool:
    # CR2, a raw camera format, is a TIFF with its own letters behind the header.
    return head[:4] in {b"II*\0", b"MM\0*"} and head[8:10] != b"CR"


def _is_bmp(head: bytes) -> bool:
    # Two letters are no signature; the header's length is one of seven.
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in BMP_HEADER_BYTES


def _brands(head: bytes) -> tuple[bytes, frozenset[bytes]]:
    """Return the main brand of a HEIF-like file and all its brands, or nothing."""
    if head[4:8] != b"ftyp":
        return b"", frozenset()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    others = (head[at : at + 4] for at in range(16, end, 4))
    return head[8:12], frozenset({head[8:12], *others})


def _is_avif(head: bytes) -> bool:
    main, brands = _brands(head)
    return main in AVIF_BRANDS or (main in GENERIC_BRANDS and bool(brands & AVIF_BRANDS))


def _is_heic(head: bytes) -> bool:
    main, _ = _brands(head)
    return main in HEIC_BRANDS | GENERIC_BRANDS


_SIGNATURES: Final[tuple[tuple[ImageFormat, Callable[[bytes], bool]], ...]] = (
    (ImageFormat.JPEG, _is_jpeg),
    (ImageFormat.PNG, _is_png),
    (ImageFormat.WEBP, _is_webp),
    (ImageFormat.GIF, _is_gif),
    (ImageFormat.AVIF, _is_avif),
    (ImageFormat.HEIC, _is_heic),
    (ImageFormat.TIFF, _is_tiff),
    (ImageFormat.BMP, _is_bmp),
)
