"""PNG and APNG: walk the chunks to IEND; compressed notes are measured, never kept."""

import zlib
from dataclasses import dataclass
from typing import Final, NamedTuple

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import (
    MAX_INFLATED_BYTES,
    MAX_NOTES,
    check_animation,
    check_frame,
    check_metadata,
    check_parts,
)
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import Picture, invalid, too_complex, truncated

SIGNATURE_BYTES: Final = 8
# Length, type and checksum around each chunk's content.
FRAMING_BYTES: Final = 12
HEADER_BYTES: Final = 13
FRAME_CONTROL_BYTES: Final = 26
MAX_LENGTH: Final = 2**31 - 1
# Channels and allowed depths by colour type (PNG, 11.2.1).
COLOURS: Final = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}
PALETTE: Final = 3
NOTES: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
METADATA: Final = NOTES | {b"iCCP", b"eXIf"}
COMPRESSED: Final = frozenset({b"zTXt", b"iTXt", b"iCCP"})
# Deflate cannot do better than 1032 to 1, so fewer bytes than that cannot hold the pixels.
DEFLATE_RATIO: Final = 1032
INFLATE_STEP_BYTES: Final = 64 * 1024


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    length: int


@dataclass(slots=True)
class _Progress:
    width: int
    height: int
    bits_per_pixel: int
    needs_palette: bool
    chunks: int = 1
    notes: int = 0
    metadata_bytes: int = 0
    inflated_bytes: int = 0
    pixel_bytes: int = 0
    frames: int = 0
    is_animated: bool = False
    has_palette: bool = False


def read_png(source: Source) -> Picture:
    seen = _read_header(source)
    offset = SIGNATURE_BYTES + FRAMING_BYTES + HEADER_BYTES
    kind = b"IHDR"
    while kind != b"IEND":
        length, kind = source.u32(offset), source.read(offset + 4, 4)
        if length > MAX_LENGTH or not kind.isalpha():
            raise invalid("a chunk has no proper header")
        source.require(offset + FRAMING_BYTES + length)
        seen.chunks += 1
        check_parts(seen.chunks)
        _take_chunk(source, seen, _Chunk(kind, offset + 8, length))
        offset += FRAMING_BYTES + length
    return _finished(seen)


def _read_header(source: Source) -> _Progress:
    framed = source.read(SIGNATURE_BYTES, 8 + HEADER_BYTES + 4)
    if framed[:8] != HEADER_BYTES.to_bytes(4, "big") + b"IHDR":
        raise invalid("it does not begin with its header")
    if zlib.crc32(framed[4:-4]) != int.from_bytes(framed[-4:], "big"):
        raise invalid("the checksum of its header is wrong")
    width, height = source.u32(SIGNATURE_BYTES + 8), source.u32(SIGNATURE_BYTES + 12)
    depth, colour, compression, filtering, interlace = framed[16:21]
    if width > MAX_LENGTH or height > MAX_LENGTH:
        raise invalid("its size is no size")
    check_frame(ImageFormat.PNG, width, height)
    channels, depths = COLOURS.get(colour, (0, ()))
    if depth not in depths or compression or filtering or interlace > 1:
        raise invalid("its header describes no kind of PNG")
    return _Progress(width, height, channels * depth, needs_palette=colour == PALETTE)


def _take_chunk(source: Source, seen: _Progress, chunk: _Chunk) -> None:
    if chunk.kind == b"IDAT":
        seen.pixel_bytes += chunk.length
    elif chunk.kind == b"PLTE":
        seen.has_palette = True
    elif chunk.kind == b"acTL":
        seen.is_animated = seen.pixel_bytes == 0
    elif chunk.kind == b"fcTL":
        _take_frame(source, seen, chunk)
    elif chunk.kind in METADATA:
        _take_metadata(source, seen, chunk)


def _take_frame(source: Source, seen: _Progress, chunk: _Chunk) -> None:
    if chunk.length != FRAME_CONTROL_BYTES:
        raise invalid("a frame has no proper header")
    width, height, left, top = (source.u32(chunk.start + at) for at in (4, 8, 12, 16))
    if not (width and height) or left + width > seen.width or top + height > seen.height:
        raise invalid("a frame reaches out of its picture")
    seen.frames += 1
    check_animation(seen.width, seen.height, seen.frames)


def _take_metadata(source: Source, seen: _Progress, chunk: _Chunk) -> None:
    seen.metadata_bytes += chunk.length
    check_metadata(seen.metadata_bytes)
    seen.notes += chunk.kind in NOTES
    if seen.notes > MAX_NOTES:
        raise too_complex(f"it has more than {MAX_NOTES:,} notes")
    if chunk.kind in COMPRESSED:
        seen.inflated_bytes += _inflated_size(source, chunk)
        if seen.inflated_bytes > MAX_INFLATED_BYTES:
            raise too_complex("a profile or note grows too large when unpacked")


def _inflated_size(source: Source, chunk: _Chunk) -> int:
    """Return the unpacked size of a profile or note, or a little over the limit."""
    size, inflate = 0, zlib.decompressobj()
    end = chunk.start + chunk.length
    for start, piece in source.pieces(chunk.start, end, INFLATE_STEP_BYTES):
        packed = _packed_part(chunk.kind, piece) if start == chunk.start else piece
        try:
            while packed and size <= MAX_INFLATED_BYTES:
                size += len(inflate.decompress(packed, INFLATE_STEP_BYTES))
                packed = inflate.unconsumed_tail
        except zlib.error:
            # A broken note is dropped with all other metadata; it does not spoil the pixels.
            return size
    return size


def _packed_part(kind: bytes, piece: bytes) -> bytes:
    """Return what follows the names before a zlib stream; names beyond one piece are junk."""
    _, _, rest = piece.partition(b"\0")
    if kind != b"iTXt":
        return rest[1:]
    if rest[:1] != b"\1":
        return b""
    _, _, after_language = rest[2:].partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    return text


def _finished(seen: _Progress) -> Picture:
    least = seen.width * seen.height * seen.bits_per_pixel // 8
    if seen.pixel_bytes == 0 or seen.pixel_bytes * DEFLATE_RATIO < least:
        raise truncated("most of its pixels are missing")
    if seen.needs_palette and not seen.has_palette:
        raise invalid("its palette is missing")
    frames = max(1, seen.frames) if seen.is_animated else 1
    return Picture(ImageFormat.PNG, seen.width, seen.height, frames)
