"""The palette: five or six colours that stand for the picture, heaviest first."""

from typing import Final

import numpy as np
from PIL import Image

MOST_COLOURS: Final = 6
# Cut finer than wanted, then merge: a median cut alone splits a large sky into five blues.
_CUTS: Final = 16
# Distance in RGB below which two colours read as one.
_ALIKE: Final = 40.0
# A pixel one can see through belongs to the page, not to the picture.
_OPAQUE_ENOUGH: Final = 128


def find_palette(image: Image.Image) -> tuple[str, ...]:
    """Return `#rrggbb` by weight; an RGBA picture one can see through everywhere has none."""
    pixels = np.asarray(image)
    shown = pixels[pixels[..., 3] >= _OPAQUE_ENOUGH][:, :3]
    if shown.size == 0:
        return ()
    strip = Image.fromarray(np.ascontiguousarray(shown[None]))
    merged = _merged(_weighted(strip.quantize(_CUTS, Image.Quantize.MEDIANCUT)))
    return tuple(f"#{r:02x}{g:02x}{b:02x}" for _, (r, g, b) in merged[:MOST_COLOURS])


def _weighted(indexed: Image.Image) -> list[tuple[int, tuple[int, int, int]]]:
    colours = np.asarray(indexed.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)
    counts = np.bincount(np.asarray(indexed).ravel(), minlength=len(colours))
    found = [(int(n), tuple(map(int, c))) for n, c in zip(counts, colours, strict=False) if n]
    return sorted(((n, (c[0], c[1], c[2])) for n, c in found), reverse=True)


def _merged(
    weighted: list[tuple[int, tuple[int, int, int]]],
) -> list[tuple[int, tuple[int, int, int]]]:
    kept: list[tuple[int, tuple[int, int, int]]] = []
    for count, colour in weighted:
        near = next((i for i, (_, other) in enumerate(kept) if _is_alike(colour, other)), None)
        if near is None:
            kept.append((count, colour))
        else:
            kept[near] = (kept[near][0] + count, kept[near][1])
    return sorted(kept, reverse=True)


def _is_alike(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return float(np.linalg.norm(np.subtract(one, other))) < _ALIKE
