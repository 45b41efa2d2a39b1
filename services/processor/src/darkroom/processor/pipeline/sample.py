"""Step 5: a small copy, averaged once; the thumbnail and the findings both start from it."""

from typing import Final

from darkroom.processor.pipeline.work import Work

# Twice the thumbnail's side, so that the second scaling still has pixels to choose from, and
# above the 512 that perceptual hashing asks for.
PREVIEW_SIDE: Final = 640


def take_preview(work: Work) -> None:
    factor = max(work.image.size) // PREVIEW_SIDE
    work.preview = work.image.reduce(factor) if factor > 1 else work.image
