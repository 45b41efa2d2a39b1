"""JPEG structure: how many segments and scans there are, and whether the end is there."""

import re
from mmap import mmap
from typing import Final

from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers.parts import Outline, take

# Each further scan of a progressive file walks all coefficients again: 2,000 of them cost 17 s.
# Encoders write about ten.
MAX_SCANS: Final = 100
# Cameras write tens of segments; a 16 MB profile, the largest there can be, takes 255.
MAX_SEGMENTS: Final = 1_000
MAX_HEADER_BYTES: Final = 32_000_000

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
# May stand before any marker, any number of times.
_FILL: Final = 0xFF
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# Baseline and extended sequential: with every component in the first scan, it is the only one.
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A marker inside coded bytes: FF, then neither a stuffed zero, a restart, nor a fill byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def read(content: mmap) -> Outline:
    """Refuse a file with too many parts, or without an end after its first scan."""
    first_scan, is_single = _walk_header(content)
    if content.rfind(b"\xff\xd9", first_scan) < 0:
        raise Refusal(Verdict.TRUNCATED, "no end of image")
    if not is_single:
        _count_scans(content, first_scan)
    return Outline()


def _walk_header(content: mmap) -> tuple[int, bool]:
    at, components, is_sequential = 2, 0, False
    for _ in range(MAX_SEGMENTS):
        at, marker = _next_marker(content, at)
        if marker == _END_OF_IMAGE:
            raise Refusal(Verdict.INVALID, "ends before any scan")
        size = int.from_bytes(take(content, at, 2), "big")
        if marker in _FRAMES:
            components = take(content, at, 8)[7]
            is_sequential = marker in _SEQUENTIAL
        if marker == _START_OF_SCAN:
            is_single = is_sequential and take(content, at, 3)[2] == components
            return at + size, is_single
        at += max(size, 2)
        if at > MAX_HEADER_BYTES:
            break
    raise Refusal(Verdict.TOO_COMPLEX, "too many segments before the first scan")


def _next_marker(content: mmap, at: int) -> tuple[int, int]:
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise Refusal(Verdict.TRUNCATED, "ends between segments")
        marker = take(content, at + 1, 1)[0]
        if marker == _FILL:
            at += 1
        elif marker in _BARE or marker == 0:
            at += 2
        else:
            return at + 2, marker


def _count_scans(content: mmap, at: int) -> None:
    scans = 1
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(content, at)
        if found is None or content[found.start() + 1] == _END_OF_IMAGE:
            return
        scans += content[found.start() + 1] == _START_OF_SCAN
        if scans > MAX_SCANS:
            break
        at = found.end() + int.from_bytes(take(content, found.end(), 2), "big")
    raise Refusal(Verdict.TOO_COMPLEX, f"more than {MAX_SCANS} scans")
