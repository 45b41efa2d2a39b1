"""WebP structure: the canvas and the frames; a 40-byte file can claim 268 megapixels."""

from mmap import mmap
from typing import Final

from darkroom.processor.domain.budget import MAX_FRAMES
from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers.parts import Outline, take

# Frames, and the few chunks that may stand beside them.
MAX_CHUNKS: Final = MAX_FRAMES + 100
_LOSSLESS_SIGNATURE: Final = 0x2F


def read(content: mmap) -> Outline:
    """Read the canvas from the first chunk; the decoder would reserve all of it on opening."""
    end = int.from_bytes(take(content, 4, 4), "little") + 8
    if end > len(content):
        raise Refusal(Verdict.TRUNCATED, f"ends {end - len(content)} bytes early")
    width, height = _canvas(content)
    durations = _durations(content, end) if content[12:16] == b"VP8X" else ()
    shown = durations if len(durations) > 1 else ()
    return Outline(width=width, height=height, durations_ms=shown)


def _canvas(content: mmap) -> tuple[int, int]:
    kind, start = content[12:16], 20
    if kind == b"VP8X":
        canvas = take(content, start + 4, 6)
        return (
            1 + int.from_bytes(canvas[:3], "little"),
            1 + int.from_bytes(canvas[3:], "little"),
        )
    if kind == b"VP8L":
        head = take(content, start, 5)
        bits = int.from_bytes(head[1:], "little")
        if head[0] != _LOSSLESS_SIGNATURE:
            raise Refusal(Verdict.INVALID, "not a lossless bit stream")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        size = take(content, start + 6, 4)
        return (
            int.from_bytes(size[:2], "little") & 0x3FFF,
            int.from_bytes(size[2:], "little") & 0x3FFF,
        )
    raise Refusal(Verdict.INVALID, f"begins with {kind!r}")


def _durations(content: mmap, end: int) -> tuple[int, ...]:
    durations: list[int] = []
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return tuple(durations)
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"ANMF":
            durations.append(int.from_bytes(take(content, at + 20, 3), "little"))
        # Chunks are padded to an even length.
        at += 8 + size + (size & 1)
    raise Refusal(Verdict.TOO_COMPLEX, f"more than {MAX_CHUNKS} chunks")
