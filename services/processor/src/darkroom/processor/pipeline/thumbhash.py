"""ThumbHash: a placeholder with alpha and aspect ratio in about 25 bytes (evanw/thumbhash)."""

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Channel:
    """One plane's average, and its waves scaled to 0..1 by the strongest."""

    average: float
    waves: list[float]
    scale: float


def encode_thumbhash(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an RGBA array of at most 100 pixels a side."""
    height, width, _ = pixels.shape
    colour, alpha = pixels[..., :3].astype(np.float64) / 255, pixels[..., 3] / 255.0
    has_alpha = bool((pixels[..., 3] < 255).any())  # noqa: PLR2004 - opaque
    limit = 5 if has_alpha else 7
    across = max(1, _rounded(limit * width / max(width, height)))
    down = max(1, _rounded(limit * height / max(width, height)))

    light, yellow, red = _opponents(colour, alpha)
    lightness = _channel(light, max(3, across), max(3, down))
    channels = [lightness, _channel(yellow, 3, 3), _channel(red, 3, 3)]
    head = _header(channels, has_alpha=has_alpha)
    head += _shape(channels, across, down, is_landscape=width > height)
    if has_alpha:
        opacity = _channel(alpha, 5, 5)
        channels.append(opacity)
        head.append(_rounded(15 * opacity.average) | _rounded(15 * opacity.scale) << 4)
    return bytes(head) + _nibbles([wave for channel in channels for wave in channel.waves])


def _opponents(colour: Plane, alpha: Plane) -> tuple[Plane, Plane, Plane]:
    """Lay the picture on its own average colour, and turn RGB into light and two differences."""
    weight = alpha[..., None]
    total = float(alpha.sum())
    average = (colour * weight).sum(axis=(0, 1)) / total if total else np.zeros(3)
    laid = average * (1 - weight) + colour * weight
    r, g, b = laid[..., 0], laid[..., 1], laid[..., 2]
    return (r + g + b) / 3, (r + g) / 2 - b, r - g


def _channel(plane: Plane, across: int, down: int) -> _Channel:
    height, width = plane.shape
    horizontal = np.cos(np.pi / width * np.outer(np.arange(across), np.arange(width) + 0.5))
    vertical = np.cos(np.pi / height * np.outer(np.arange(down), np.arange(height) + 0.5))
    factors = vertical @ plane @ horizontal.T / (width * height)
    # Only the triangle of low frequencies is kept, row by row.
    kept = [
        float(factors[y, x])
        for y in range(down)
        for x in range(across)
        if x * down < across * (down - y)
    ]
    scale = max(map(abs, kept[1:]), default=0.0)
    waves = [0.5 + 0.5 / scale * wave for wave in kept[1:]] if scale else kept[1:]
    return _Channel(kept[0], waves, scale)


def _header(channels: list[_Channel], *, has_alpha: bool) -> list[int]:
    light, yellow, red = channels
    bits = _rounded(63 * light.average) | _rounded(31.5 + 31.5 * yellow.average) << 6
    bits |= _rounded(31.5 + 31.5 * red.average) << 12
    bits |= _rounded(31 * light.scale) << 18 | has_alpha << 23
    return list(bits.to_bytes(3, "little"))


def _shape(channels: list[_Channel], across: int, down: int, *, is_landscape: bool) -> list[int]:
    _, yellow, red = channels
    bits = (down if is_landscape else across) | _rounded(63 * yellow.scale) << 3
    bits |= _rounded(63 * red.scale) << 9 | is_landscape << 15
    return list(bits.to_bytes(2, "little"))


def _nibbles(waves: list[float]) -> bytes:
    values = [_rounded(15 * wave) for wave in waves]
    values += [0] * (len(values) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def _rounded(value: float) -> int:
    # The reference rounds halves up; Python's round() would take them to even.
    return floor(value + 0.5)
