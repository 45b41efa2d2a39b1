"""The operation `enhance`: tones stretched to the histogram, edges a little crisper."""

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

# Half a percent of the pixels may be lost at either end: a lamp or a speck does not decide.
_CUTOFF: Final = 0.005
# Gentle: black comes from no lighter than this, white from no darker, so fog stays fog.
_DEEPEST_BLACK: Final = 40
_PALEST_WHITE: Final = 215
# A 3x3 blur subtracted at about a third of its weight: light, and without halos.
_SHARPEN: Final = ImageFilter.Kernel((3, 3), (-1, -2, -1, -2, 44, -2, -1, -2, -1), scale=32)


def enhance(image: Image.Image, *, preview: Image.Image | None) -> Image.Image:
    """Stretch all channels by one curve, which keeps their balance, then sharpen."""
    curve = _curve(preview or image)
    flat = list(range(256))
    bands = len(image.getbands())
    table = curve * bands if image.mode != "RGBA" else curve * 3 + flat
    sharpened = image.point(table).filter(_SHARPEN)
    if image.mode == "RGBA":
        # Transparency is shape, not tone: it keeps its own edges.
        sharpened.putalpha(image.getchannel("A"))
    return sharpened


def _curve(image: Image.Image) -> list[int]:
    shares = np.cumsum(image.convert("L").histogram()) / (image.width * image.height)
    low = min(int(np.searchsorted(shares, _CUTOFF)), _DEEPEST_BLACK)
    high = max(int(np.searchsorted(shares, 1 - _CUTOFF)), _PALEST_WHITE)
    return [round(min(max((v - low) * 255 / (high - low), 0), 255)) for v in range(256)]
