"""GIF: walk the blocks to the trailer, count the frames, find the true canvas."""

from dataclasses import dataclass
from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import check_animation, check_frame
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import Picture, invalid, too_complex, truncated

SCREEN_BYTES: Final = 13
EXTENSION: Final = 0x21
IMAGE: Final = 0x2C
TRAILER: Final = 0x3B
PLAIN_TEXT: Final = 0x01
IMAGE_HEADER_BYTES: Final = 9
HAS_TABLE: Final = 0x80
TABLE_SIZE: Final = 0x07
# LZW begins with codes of 1 to 8 bits; 11 leaves room below its limit of 12.
LARGEST_CODE: Final = 11
# Encoders fill their blocks to 255 bytes. Many more blocks than that are made to have us walk.
SPARE_BLOCKS: Final = 20_000
BLOCK_BYTES: Final = 100


@dataclass(slots=True)
class _Progress:
    width: int
    height: int
    blocks_left: int
    frames: int = 0


def read_gif(source: Source) -> Picture:
    width, height = source.u16(6, "little"), source.u16(8, "little")
    check_frame(ImageFormat.GIF, width, height)
    seen = _Progress(width, height, SPARE_BLOCKS + source.size // BLOCK_BYTES)
    offset = SCREEN_BYTES + _table_bytes(source.u8(10))
    kind = source.u8(offset)
    while kind != TRAILER:
        if kind == IMAGE:
            offset = _take_image(source, seen, offset + 1)
        elif kind == EXTENSION:
            offset = _skip_blocks(source, seen, offset + 2)
        else:
            raise invalid("a block is of no known kind")
        kind = source.u8(offset)
    if seen.frames == 0:
        raise truncated("it has no pixels")
    return Picture(ImageFormat.GIF, seen.width, seen.height, seen.frames)


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & TABLE_SIZE) + 1) if flags & HAS_TABLE else 0


def _take_image(source: Source, seen: _Progress, offset: int) -> int:
    header = source.read(offset, IMAGE_HEADER_BYTES)
    left, top, width, height = (
        int.from_bytes(header[at : at + 2], "little") for at in range(0, 8, 2)
    )
    check_frame(ImageFormat.GIF, width, height)
    # Decoders enlarge the canvas for a frame that reaches out of it, so the budget follows them.
    seen.width, seen.height = max(seen.width, left + width), max(seen.height, top + height)
    check_frame(ImageFormat.GIF, seen.width, seen.height)
    seen.frames += 1
    check_animation(seen.width, seen.height, seen.frames)
    offset += IMAGE_HEADER_BYTES + _table_bytes(header[8])
    if not 1 <= source.u8(offset) <= LARGEST_CODE:
        raise invalid("a frame is packed in no known way")
    if source.u8(offset + 1) == 0:
        raise truncated("a frame has no pixels")
    return _skip_blocks(source, seen, offset + 1)


def _skip_blocks(source: Source, seen: _Progress, offset: int) -> int:
    length = source.u8(offset)
    while length:
        seen.blocks_left -= 1
        if seen.blocks_left < 0:
            raise too_complex("its pixels are cut into too many blocks")
        offset += length + 1
        length = source.u8(offset)
    return offset + 1
