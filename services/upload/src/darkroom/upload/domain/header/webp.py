"""WebP: walk the RIFF chunks, ask each bit stream for its size, count the frames."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import (
    check_animation,
    check_frame,
    check_metadata,
    check_parts,
)
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import Picture, invalid, truncated

RIFF_HEADER_BYTES: Final = 12
CHUNK_HEADER_BYTES: Final = 8
CANVAS_BYTES: Final = 10
FRAME_HEADER_BYTES: Final = 16
LOSSY_HEADER_BYTES: Final = 10
LOSSLESS_HEADER_BYTES: Final = 5
LOSSY_START: Final = b"\x9d\x01\x2a"
LOSSLESS_START: Final = 0x2F
SIDE_BITS: Final = 14
SIDE_MASK: Final = (1 << SIDE_BITS) - 1
IS_ANIMATED: Final = 0x02
STREAMS: Final = frozenset({b"VP8 ", b"VP8L"})
METADATA: Final = frozenset({b"ICCP", b"EXIF", b"XMP "})

Size = tuple[int, int]


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int


def read_webp(source: Source) -> Picture:
    end = source.u32(4, "little") + 8
    source.require(end)
    first = next(_chunks(source, RIFF_HEADER_BYTES, end), None)
    if first is None:
        raise truncated("it has no pixels")
    if first.kind == b"VP8X":
        return _read_extended(source, first, end)
    width, height = _stream_size(source, first)
    return Picture(ImageFormat.WEBP, width, height)


def _chunks(source: Source, offset: int, end: int) -> Iterator[_Chunk]:
    """Give the chunks up to `end`; each is padded to an even length."""
    while offset + CHUNK_HEADER_BYTES <= end:
        kind, length = source.read(offset, 4), source.u32(offset + 4, "little")
        start = offset + CHUNK_HEADER_BYTES
        if start + length > end:
            raise truncated("a chunk is longer than the file")
        yield _Chunk(kind, start, start + length)
        offset = start + length + length % 2


def _stream_size(source: Source, chunk: _Chunk) -> Size:
    if chunk.kind == b"VP8L":
        width, height = _lossless_size(source, chunk)
    elif chunk.kind == b"VP8 ":
        width, height = _lossy_size(source, chunk)
    else:
        raise invalid("its pixels are of no known kind")
    check_frame(ImageFormat.WEBP, width, height)
    return width, height


def _lossless_size(source: Source, chunk: _Chunk) -> Size:
    if chunk.end - chunk.start < LOSSLESS_HEADER_BYTES:
        raise truncated("its pixels are missing")
    bits = source.u32(chunk.start + 1, "little")
    # After the two sides come one bit for alpha and three for the version, which is zero.
    if source.u8(chunk.start) != LOSSLESS_START or bits >> (2 * SIDE_BITS + 1):
        raise invalid("its pixels have no proper header")
    return (bits & SIDE_MASK) + 1, ((bits >> SIDE_BITS) & SIDE_MASK) + 1


def _lossy_size(source: Source, chunk: _Chunk) -> Size:
    length = chunk.end - chunk.start
    if length < LOSSY_HEADER_BYTES:
        raise truncated("its pixels are missing")
    tag = source.u24(chunk.start, "little")
    if tag & 1 or source.read(chunk.start + 3, 3) != LOSSY_START:
        raise invalid("its pixels have no proper header")
    first_partition = tag >> 5
    if LOSSY_HEADER_BYTES + first_partition > length:
        raise truncated("its pixels are cut short")
    width, height = (source.u16(chunk.start + at, "little") for at in (6, 8))
    return width & SIDE_MASK, height & SIDE_MASK


def _read_extended(source: Source, header: _Chunk, end: int) -> Picture:
    if header.end - header.start < CANVAS_BYTES:
        raise invalid("its header is too short")
    width = source.u24(header.start + 4, "little") + 1
    height = source.u24(header.start + 7, "little") + 1
    check_frame(ImageFormat.WEBP, width, height)
    is_animated = bool(source.u8(header.start) & IS_ANIMATED)
    frames = _count_frames(source, header.end, end, (width, height), is_animated=is_animated)
    if frames == 0:
        raise truncated("it has no pixels")
    return Picture(ImageFormat.WEBP, width, height, frames)


def _count_frames(source: Source, offset: int, end: int, canvas: Size, *, is_animated: bool) -> int:
    """Return the frames found behind the header; a still picture's one stream counts as one."""
    frames = metadata_bytes = 0
    for position, chunk in enumerate(_chunks(source, offset + offset % 2, end)):
        check_parts(position)
        if chunk.kind in METADATA:
            metadata_bytes += chunk.end - chunk.start
            check_metadata(metadata_bytes)
        elif is_animated and chunk.kind == b"ANMF":
            _check_animation_frame(source, chunk, canvas)
            frames += 1
            check_animation(*canvas, frames)
        elif not is_animated and chunk.kind in STREAMS:
            if _stream_size(source, chunk) != canvas:
                raise invalid("its pixels do not fill its canvas")
            frames = 1
    return frames


def _check_animation_frame(source: Source, frame: _Chunk, canvas: Size) -> None:
    if frame.end - frame.start < FRAME_HEADER_BYTES:
        raise invalid("a frame has no proper header")
    left, top = (source.u24(frame.start + at, "little") * 2 for at in (0, 3))
    size = source.u24(frame.start + 6, "little") + 1, source.u24(frame.start + 9, "little") + 1
    if left + size[0] > canvas[0] or top + size[1] > canvas[1]:
        raise invalid("a frame reaches out of its picture")
    for chunk in _chunks(source, frame.start + FRAME_HEADER_BYTES, frame.end):
        if chunk.kind in STREAMS:
            if _stream_size(source, chunk) != size:
                raise invalid("a frame's pixels do not fill it")
            return
    raise truncated("a frame has no pixels")
