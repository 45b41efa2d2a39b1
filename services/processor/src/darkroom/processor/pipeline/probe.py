"""Step 1: the verdict that needs no pixels: the real type, the structure, the size."""

from mmap import ACCESS_READ, mmap

from PIL import Image

from darkroom.processor.domain import budget
from darkroom.processor.domain.verdict import Refusal, Verdict
from darkroom.processor.pipeline.containers import read_outline
from darkroom.processor.pipeline.work import Work


def read_header(work: Work) -> None:
    """Walk the container, judge what it tells, and only then let the one decoder open it."""
    if work.source.stat().st_size == 0:
        raise Refusal(Verdict.INVALID, "no bytes")
    with work.source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        work.format, work.outline = read_outline(content)
    outline = work.outline
    if outline.width is not None and outline.height is not None:
        budget.enforce(work.format, outline.width, outline.height, outline.frames)
    work.opened = work.open()
    work.frames = max(outline.frames, _sequence_frames(work.opened))
    work.loop = work.opened.info.get("loop")
    budget.enforce(work.format, *work.opened.size, work.frames)


def _sequence_frames(image: Image.Image) -> int:
    # Only AVIF tells its count by opening alone; the others were counted by their outline, and
    # pages of a TIFF or a HEIC file are further pictures, not frames of this one.
    return int(getattr(image, "n_frames", 1)) if image.format == "AVIF" else 1
