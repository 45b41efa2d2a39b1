"""What one picture may cost: the limits, and the questions asked of a header."""

from typing import Final

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.verdict import Refusal, Verdict, invalid, too_complex

MEGAPIXEL: Final = 1_000_000
# A decoder may hold 20 bytes for each pixel, so 64 MP keep one job within 1.3 GB of memory.
MAX_FRAME_PIXELS: Final = 64 * MEGAPIXEL
# JPEG is decoded at a reduced scale where the result is small, so it may be larger.
MAX_JPEG_PIXELS: Final = 100 * MEGAPIXEL
# Rows longer than this make even a thin picture costly, and no screen or printer asks for them.
MAX_SIDE: Final = 20_000
# An animation keeps its frames: every one is decoded and encoded again at full canvas size.
MAX_FRAMES: Final = 500
MAX_ANIMATION_PIXELS: Final = 200 * MEGAPIXEL
# Every progressive scan walks the whole picture again: 2,000 scans of 16 MP took 17 s of CPU.
# Encoders write about ten.
MAX_SCANS: Final = 100
# Segments, chunks and boxes a reader steps over; a camera writes tens, a bomb 300,000. Encoders
# that cut pixels into 4 kB pieces stay below it up to 400 MB.
MAX_PARTS: Final = 100_000
# Text notes; editors write a few dozen.
MAX_NOTES: Final = 1_000
# EXIF, XMP, profiles and notes together. Depth maps of phones reach 10 MB.
MAX_METADATA_BYTES: Final = 32 * 1024 * 1024
# What one compressed profile or note may grow to; large printing profiles have 4 MB.
MAX_INFLATED_BYTES: Final = 4 * 1024 * 1024
# Items and references of a HEIF file: a 48-megapixel phone picture has about 500 tiles and
# extras; 1,000 is also where libheif stops.
MAX_ITEMS: Final = 1_000
# 16 bytes a pixel: four channels of 32 bits. More would outgrow what a pixel is budgeted at.
MAX_BITS_PER_PIXEL: Final = 128


def check_frame(picture_format: ImageFormat, width: int, height: int) -> None:
    """Refuse a frame that is empty or would not fit the memory of one job."""
    if width < 1 or height < 1:
        raise invalid("it says that it has no pixels")
    limit = MAX_JPEG_PIXELS if picture_format is ImageFormat.JPEG else MAX_FRAME_PIXELS
    if max(width, height) > MAX_SIDE or width * height > limit:
        raise Refusal(
            Verdict.TOO_LARGE,
            f"The image is {width} x {height} pixels; at most {MAX_SIDE:,} a side and "
            f"{limit // MEGAPIXEL} megapixels are accepted.",
        )


def check_animation(width: int, height: int, frames: int) -> None:
    """Refuse more frames, or more pixels in all of them, than one job may turn over."""
    if frames > MAX_FRAMES:
        raise too_complex(f"it has more than {MAX_FRAMES} frames")
    if frames > 1 and width * height * frames > MAX_ANIMATION_PIXELS:
        limit = MAX_ANIMATION_PIXELS // MEGAPIXEL
        raise too_complex(f"its {frames} frames have more than {limit} megapixels in all")


def check_parts(count: int) -> None:
    if count > MAX_PARTS:
        raise too_complex(f"it has more than {MAX_PARTS:,} parts")


def check_metadata(size_bytes: int) -> None:
    if size_bytes > MAX_METADATA_BYTES:
        raise too_complex("it carries more metadata than picture programs write")
