"""JPEG: walk the segments, count the scans, find the end marker."""

import re
from dataclasses import dataclass
from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.budget import (
    MAX_SCANS,
    check_frame,
    check_metadata,
    check_parts,
)
from darkroom.upload.domain.header.source import Source
from darkroom.upload.domain.verdict import (
    Picture,
    invalid,
    too_complex,
    truncated,
    unsupported,
)

SOI: Final = 0xD8
EOI: Final = 0xD9
SOS: Final = 0xDA
COM: Final = 0xFE
APPLICATION: Final = range(0xE0, 0xF0)
# Start-of-frame codes lie between C0 and CF; C4, C8 and CC mean other things.
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
# Baseline, extended, progressive, and the first two with arithmetic coding.
DECODABLE: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
# FF and a code that stands alone in pixel data: not a stuffed zero, a fill byte, TEM or a restart.
MARKER: Final = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
# Pixel data is searched in pieces: large enough to run at memory speed, small beside a request.
PIECE_BYTES: Final = 256 * 1024
FRAME_HEADER_BYTES: Final = 8
MAX_COMPONENTS: Final = 4


@dataclass(slots=True)
class _Progress:
    picture: Picture | None = None
    frame_code: int = 0
    scans: int = 0
    segments: int = 0
    metadata_bytes: int = 0
    pixel_bytes: int = 0


def read_jpeg(source: Source) -> Picture:
    seen = _Progress()
    code, offset = _next_marker(source, 2)
    while code != EOI:
        end = offset + _segment_length(source, offset)
        _take_segment(source, seen, code, offset)
        code, following = _next_marker(source, end)
        if seen.scans:
            seen.pixel_bytes += following - 2 - end
        offset = following
    return _finished(seen)


def _next_marker(source: Source, offset: int) -> tuple[int, int]:
    """Return the next marker's code and the offset behind it, skipping pixel data and junk."""
    source.require(offset + 2)
    here = source.read(offset, 2)
    if MARKER.match(here):
        return here[1], offset + 2
    while offset + 1 < source.size:
        for start, piece in source.pieces(offset, source.size, PIECE_BYTES):
            found = MARKER.search(piece)
            if found:
                return piece[found.start() + 1], start + found.end()
            offset = start + len(piece)
            if piece[-1] == 0xFF:  # noqa: PLR2004 - a marker may straddle two pieces
                offset -= 1
                break
    raise truncated("its end marker is missing")


def _segment_length(source: Source, offset: int) -> int:
    length = source.u16(offset)
    if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
        raise invalid("a segment has no length")
    source.require(offset + length)
    return length


def _take_segment(source: Source, seen: _Progress, code: int, offset: int) -> None:
    seen.segments += 1
    check_parts(seen.segments)
    if code == SOI:
        raise invalid("a second picture begins inside the first")
    if code in FRAMES:
        _take_frame(source, seen, code, offset)
    elif code == SOS:
        _take_scan(seen)
    elif code in APPLICATION or code == COM:
        seen.metadata_bytes += source.u16(offset)
        check_metadata(seen.metadata_bytes)


def _take_frame(source: Source, seen: _Progress, code: int, offset: int) -> None:
    if code not in DECODABLE:
        raise unsupported("lossless and hierarchical JPEG cannot be read")
    if seen.picture is not None:
        raise invalid("it has two frame headers")
    components = source.u8(offset + 7)
    if not 1 <= components <= MAX_COMPONENTS:
        raise invalid(f"it has {components} colour components")
    if source.u16(offset) != FRAME_HEADER_BYTES + 3 * components:
        raise invalid("its frame header has the wrong length")
    if source.u8(offset + 2) != 8:  # noqa: PLR2004 - bits a sample
        raise unsupported("only JPEG of 8 bits a sample can be read")
    height, width = source.u16(offset + 3), source.u16(offset + 5)
    check_frame(ImageFormat.JPEG, width, height)
    seen.picture, seen.frame_code = Picture(ImageFormat.JPEG, width, height), code


def _take_scan(seen: _Progress) -> None:
    if seen.picture is None:
        raise invalid("pixels come before the frame header")
    seen.scans += 1
    if seen.scans > MAX_SCANS:
        raise too_complex(f"it has more than {MAX_SCANS} scans")


def _finished(seen: _Progress) -> Picture:
    picture = seen.picture
    if picture is None or seen.scans == 0:
        raise truncated("it has no pixels")
    # A sequential block of 64 pixels takes two bits at the very least.
    least = picture.width * picture.height // 256
    if seen.frame_code in SEQUENTIAL and seen.pixel_bytes < least:
        raise truncated("most of its pixels are missing")
    return picture
