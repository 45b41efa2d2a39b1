"""Step 8: what the picture is known by: placeholders, palette, perceptual hash."""

import base64
from math import ceil
from typing import Final

import numpy as np
import pdqhash
from PIL import Image

from darkroom.contracts.jobs import Findings
from darkroom.processor.pipeline.blurhash import encode_blurhash
from darkroom.processor.pipeline.palette import find_palette
from darkroom.processor.pipeline.thumbhash import encode_thumbhash
from darkroom.processor.pipeline.work import Work

# The perceptual hash moves by some 10 of its 256 bits from here to the whole picture, where lists
# match within 31; twice the side halves that and takes four times as long.
_SAMPLE_SIDE: Final = 336
# ThumbHash allows 100; its few waves are fully described by a third of that.
_PLACEHOLDER_SIDE: Final = 32
# Colours are counted on enough pixels that a small but strong one still shows.
_PALETTE_SIDE: Final = 64
# The hash averages into 64x64 blocks and cannot start from fewer pixels.
_PDQ_LEAST_SIDE: Final = 64
_WHITE: Final = (255, 255, 255)


def describe(work: Work) -> None:
    sample = within(work.preview, _SAMPLE_SIDE)
    tiny = within(sample, _PLACEHOLDER_SIDE).convert("RGBA")
    small = within(sample, _PALETTE_SIDE).convert("RGBA")
    phash, quality = find_pdq(flattened(sample))
    work.findings = Findings(
        width=work.width,
        height=work.height,
        frames=work.frames,
        has_alpha=work.image.mode == "RGBA",
        blurhash=encode_blurhash(np.asarray(flattened(tiny))),
        thumbhash=base64.b64encode(encode_thumbhash(np.asarray(tiny))).decode(),
        palette=find_palette(small),
        phash=phash,
        phash_quality=quality,
    )


def within(image: Image.Image, side: int) -> Image.Image:
    """Return a copy whose longer side is at most `side`, by averaging: it never overshoots."""
    factor = ceil(max(image.size) / side)
    return image.reduce(factor) if factor > 1 else image


def flattened(image: Image.Image, background: tuple[int, int, int] = _WHITE) -> Image.Image:
    """Return RGB, with what shows through painted in the background."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    canvas = Image.new("RGB", image.size, background)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def find_pdq(image: Image.Image) -> tuple[str, int]:
    """Return the hash as exchanged between lists: 64 hex characters, first bit first."""
    width, height = image.size
    if min(width, height) < _PDQ_LEAST_SIDE:
        size = (max(width, _PDQ_LEAST_SIDE), max(height, _PDQ_LEAST_SIDE))
        image = image.resize(size, Image.Resampling.BILINEAR)
    bits, quality = pdqhash.compute(np.asarray(image))
    return np.packbits(bits).tobytes().hex(), int(quality)
