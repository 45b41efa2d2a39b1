"""BMP: one header, then rows that must all be there."""

from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import check_frame
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import Picture, invalid, truncated, unsupported

FILE_HEADER_BYTES: Final = 14
# The OS/2 header of 12 bytes has sides of 16 bits; all later ones have signed sides of 32.
OLD_HEADER_BYTES: Final = 12
HEADER_BYTES: Final = frozenset({OLD_HEADER_BYTES, 40, 52, 56, 64, 108, 124})
DEPTHS: Final = frozenset({1, 2, 4, 8, 16, 24, 32})
PLAIN: Final = frozenset({0, 3, 6})
RUN_LENGTH: Final = frozenset({1, 2})
SIGN: Final = 1 << 31


def read_bmp(source: Source) -> Picture:
    header_bytes = source.u32(FILE_HEADER_BYTES, "little")
    if header_bytes == OLD_HEADER_BYTES:
        width, height = source.u16(18, "little"), source.u16(20, "little")
        planes, depth, packing = source.u16(22, "little"), source.u16(24, "little"), 0
    else:
        width, height = _signed(source, 18), _signed(source, 22)
        planes, depth = source.u16(26, "little"), source.u16(28, "little")
        packing = source.u32(30, "little")
    # A negative height means that the rows run from top to bottom; packed rows cannot.
    is_top_down, height = height < 0, abs(height)
    check_frame(ImageFormat.BMP, width, height)
    if planes != 1 or depth not in DEPTHS or (is_top_down and packing in RUN_LENGTH):
        raise invalid("its header describes no kind of BMP")
    if packing not in PLAIN | RUN_LENGTH:
        raise unsupported("this way of packing a BMP cannot be read")
    # Rows are padded to four bytes; of packed ones at least the two that end them must be there.
    rows_bytes = (width * depth + 31) // 32 * 4 * height if packing in PLAIN else 2
    _check_rows(source, FILE_HEADER_BYTES + header_bytes, rows_bytes)
    return Picture(ImageFormat.BMP, width, height)


def _signed(source: Source, offset: int) -> int:
    value = source.u32(offset, "little")
    return value - 2 * SIGN if value & SIGN else value


def _check_rows(source: Source, header_end: int, rows_bytes: int) -> None:
    start = source.u32(10, "little")
    if start < header_end:
        raise invalid("its pixels begin inside its header")
    if start + rows_bytes > source.size:
        raise truncated("some of its rows are missing")
