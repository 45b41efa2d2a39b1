"""What a container reader reports, and how it reads numbers without running past the end."""

from dataclasses import dataclass
from mmap import mmap

from darkroom.processor.domain.verdict import Refusal, Verdict


@dataclass(frozen=True, slots=True)
class Outline:
    """Sizes are None where the decoder tells them as cheaply; durations only for animations."""

    width: int | None = None
    height: int | None = None
    durations_ms: tuple[int, ...] = ()
    has_hidden_first_frame: bool = False

    @property
    def frames(self) -> int:
        return max(1, len(self.durations_ms))


def take(content: mmap, start: int, size: int) -> bytes:
    """Read exactly `size` bytes; a file that ends before them is cut short."""
    piece = content[start : start + size]
    if len(piece) < size:
        raise Refusal(Verdict.TRUNCATED, f"ends inside the {size} bytes at {start}")
    return piece
