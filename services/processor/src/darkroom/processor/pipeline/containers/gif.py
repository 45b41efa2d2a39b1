"""GIF structure: the canvas, and how long each frame is shown."""

from mmap import mmap
from typing import Final

from darkroom.processor.domain.budget import MAX_FRAMES
from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers.parts import Outline, take

# Comments and applications' blocks; a real animation has one control block a frame and a few more.
MAX_EXTENSIONS: Final = 4 * MAX_FRAMES

_EXTENSION: Final = 0x21
_CONTROL: Final = 0xF9
_FRAME: Final = 0x2C
_TRAILER: Final = 0x3B


def read(content: mmap) -> Outline:
    """Walk the blocks; a file that stops between two blocks is taken as ended there."""
    head = take(content, 0, 13)
    at = 13 + _table_bytes(head[10])
    durations: list[int] = []
    delay = extensions = 0
    while at < len(content) and content[at] != _TRAILER:
        kind = content[at]
        if kind == _EXTENSION:
            if take(content, at + 1, 2)[0] == _CONTROL:
                delay = 10 * int.from_bytes(take(content, at + 4, 2), "little")
            at = _skip_blocks(content, at + 2)
            extensions += 1
        elif kind == _FRAME:
            at = _skip_blocks(content, at + 11 + _table_bytes(take(content, at, 10)[9]))
            durations.append(delay)
            delay = 0
        else:
            raise Refusal(Verdict.INVALID, f"no block starts with {kind:#x}")
        if len(durations) > MAX_FRAMES or extensions > MAX_EXTENSIONS:
            raise Refusal(Verdict.TOO_COMPLEX, "too many frames or extensions")
    width, height = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    shown = tuple(durations) if len(durations) > 1 else ()
    return Outline(width=width, height=height, durations_ms=shown)


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(content: mmap, at: int) -> int:
    while True:
        size = take(content, at, 1)[0]
        at += 1 + size
        if size == 0:
            return at
