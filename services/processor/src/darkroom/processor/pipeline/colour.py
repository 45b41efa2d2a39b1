"""Step 3: whatever the file's colours are, sRGB in eight bits from here on."""

import io
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from darkroom.processor.pipeline.work import Work

# A profile is a few kilobytes; printers' reach 2 MB. Beyond this it is dropped unread.
MAX_PROFILE_BYTES: Final = 4_000_000
# Two levels of 255 are below what anyone sees, and skipping the transform saves most of a second
# for each of the many files whose profile is sRGB by one of its hundred names.
_SAME_WITHIN: Final = 2
# 65,535 divided by 255: sixteen bits to eight.
_WIDE_STEP: Final = 257

_PROFILE_SPACES: Final[Mapping[str, str]] = {
    "L": "GRAY",
    "RGB": "RGB ",
    "RGBA": "RGB ",
    "CMYK": "CMYK",
    "LAB": "Lab ",
}
_PLAIN_MODES: Final = frozenset({"L", "RGB", "RGBA"})

Convert = Callable[[Image.Image], Image.Image]


def to_srgb(work: Work) -> None:
    """Bring the picture to L, RGB or RGBA in sRGB; an opaque alpha channel is dropped."""
    before = work.image
    work.image = _without_idle_alpha(normalise(before, work.profile))
    if before.mode == "P" and work.profile is None:
        work.indexed = before


def normalise(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert one frame; a profile that is broken, huge or of another colour space is dropped."""
    plain = _to_eight_bits(image)
    transform = _transform(profile, plain.mode) if profile else None
    if transform is not None:
        # Pillow types the optional in-place result; without that flag it always returns a picture.
        plain = ImageCms.applyTransform(plain, transform) or plain
    return plain if plain.mode in _PLAIN_MODES else plain.convert("RGB")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode in _NARROWERS:
        return _NARROWERS[image.mode](image)
    if "transparency" in image.info or image.mode in {"LA", "La", "PA", "RGBa"}:
        return image.convert("RGBA")
    if image.mode in _PROFILE_SPACES:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _narrow_integers(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64).clip(0, 65_535)
    return Image.fromarray(((values + 128) // _WIDE_STEP).astype(np.uint8))


def _narrow_floats(image: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(image))
    # Scientific TIFFs hold either 0..1 or whatever was measured; both fill the range.
    top = max(float(values.max()), 1.0)
    return Image.fromarray((values.clip(0, top) * (255 / top)).astype(np.uint8))


_NARROWERS: Final[Mapping[str, Convert]] = {
    "I": _narrow_integers,
    "I;16": _narrow_integers,
    "I;16B": _narrow_integers,
    "I;16L": _narrow_integers,
    "F": _narrow_floats,
}


# A child sees the same few cameras' profiles again and again.
@lru_cache(maxsize=32)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform to sRGB, or None where there is nothing to do or to rely on."""
    if len(profile) > MAX_PROFILE_BYTES or mode not in _PROFILE_SPACES:
        return None
    out_mode = "RGBA" if mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _PROFILE_SPACES[mode]:
            return None
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, out_mode)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
    return None if _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in _PLAIN_MODES:
        return False
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    patches = Image.fromarray(np.ascontiguousarray(grid)).convert(mode)
    after = ImageCms.applyTransform(patches, transform)
    if after is None:
        return False
    before = np.asarray(patches.convert("RGB")).astype(np.int16)
    change = np.abs(np.asarray(after.convert("RGB")).astype(np.int16) - before)
    return int(change.max()) <= _SAME_WITHIN


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:  # noqa: PLR2004 - opaque
        return image.convert("RGB")
    return image
