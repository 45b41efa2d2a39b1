"""How much one image may ask for, judged on its header alone."""

from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.processor.domain.verdict import Refusal, Verdict

# Four bytes a pixel and up to four copies: 64 MP keeps one job near 1 GiB, below the child's
# address space. A JPEG decodes into one buffer and can be read at half scale, hence its 100 MP.
MAX_FRAME_PIXELS: Final = 64_000_000
MAX_JPEG_PIXELS: Final = 100_000_000
# Promised in the API: an animation is decoded frame by frame, so only time grows with the sum.
MAX_FRAMES: Final = 500
MAX_TOTAL_PIXELS: Final = 200_000_000
# Rows this long still fit every encoder we write but WebP, which no longer source can come from.
MAX_SIDE: Final = 20_000
# Above this an operation that copies the picture would leave no room for itself.
FULL_SCALE_PIXELS: Final = 50_000_000


def enforce(image_format: ImageFormat, width: int, height: int, frames: int) -> None:
    """Refuse what would cost too much; a picture without pixels is damaged, not large."""
    if width < 1 or height < 1:
        raise Refusal(Verdict.INVALID, f"{width}x{height} pixels")
    pixels = width * height
    limit = MAX_JPEG_PIXELS if image_format is ImageFormat.JPEG else MAX_FRAME_PIXELS
    if max(width, height) > MAX_SIDE or pixels > limit:
        raise Refusal(Verdict.TOO_LARGE, f"{width}x{height} pixels")
    if frames > MAX_FRAMES or (frames > 1 and pixels * frames > MAX_TOTAL_PIXELS):
        raise Refusal(Verdict.TOO_COMPLEX, f"{frames} frames of {width}x{height} pixels")
