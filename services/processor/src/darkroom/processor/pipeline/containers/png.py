"""PNG structure: chunks counted and capped, and the frames of an animated file."""

from collections.abc import Iterator
from mmap import mmap
from typing import Final

from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers.parts import Outline, take

# Editors write tens of text and colour chunks; 300,000 of them cost a second at open.
MAX_SIDE_CHUNKS: Final = 1_000
# Pixel chunks of 8 kB, a common encoder's habit, over the largest picture we take.
MAX_CHUNKS: Final = 100_000
# A profile or a text beyond this holds no picture. The decoder caps what they inflate to.
MAX_SIDE_CHUNK_BYTES: Final = 8_000_000

_PIXELS: Final = frozenset({b"IDAT", b"fdAT", b"fcTL"})


def read(content: mmap) -> Outline:
    """Walk all chunks to IEND; a hidden first frame is a still picture outside the animation."""
    durations: list[int] = []
    side, is_hidden = 0, False
    for kind, at, size in _chunks(content):
        if kind == b"IEND":
            shown = tuple(durations) if len(durations) > 1 else ()
            return Outline(durations_ms=shown, has_hidden_first_frame=bool(shown) and is_hidden)
        if kind == b"fcTL":
            durations.append(_duration(take(content, at, 26)))
        elif kind == b"IDAT":
            is_hidden = is_hidden or not durations
        if kind not in _PIXELS:
            side += 1
            if side > MAX_SIDE_CHUNKS or size > MAX_SIDE_CHUNK_BYTES:
                raise Refusal(Verdict.TOO_COMPLEX, "too many or too large chunks")
    raise Refusal(Verdict.TOO_COMPLEX, f"more than {MAX_CHUNKS} chunks")


def _chunks(content: mmap) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    for _ in range(MAX_CHUNKS):
        head = take(content, at, 8)
        size, start = int.from_bytes(head[:4], "big"), at + 8
        at = start + size + 4
        if at > len(content):
            raise Refusal(Verdict.TRUNCATED, f"ends inside the chunk at {start}")
        yield head[4:], start, size


def _duration(control: bytes) -> int:
    numerator = int.from_bytes(control[20:22], "big")
    # The format reads a denominator of zero as hundredths.
    denominator = int.from_bytes(control[22:24], "big") or 100
    return round(1000 * numerator / denominator)
