"""BlurHash: a picture's first few cosine waves, in 28 characters (blurha.sh)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_ALPHABET: Final = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
)
# Four waves across, three down: what the format's authors recommend for landscape pictures.
ACROSS: Final = 4
DOWN: Final = 3
# Where sRGB's curve leaves its straight foot.
_LINEAR_BELOW: Final = 0.04045


def encode_blurhash(pixels: NDArray[np.uint8]) -> str:
    """Encode an RGB array of a few dozen pixels a side."""
    factors = _waves(_linear(pixels))
    largest = float(np.abs(factors[1:]).max())
    step = int(np.clip(np.floor(largest * 166 - 0.5), 0, 82))
    strongest = (step + 1) / 166
    parts = [_base83((ACROSS - 1) + (DOWN - 1) * 9, 1), _base83(step, 1)]
    parts.append(_base83(_packed_average(factors[0]), 4))
    parts += [_base83(_packed_wave(wave / strongest), 2) for wave in factors[1:]]
    return "".join(parts)


def _linear(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    values = pixels.astype(np.float64) / 255
    return np.where(values <= _LINEAR_BELOW, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _waves(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width, _ = linear.shape
    across = np.cos(np.pi * np.outer(np.arange(ACROSS), np.arange(width) / width))
    down = np.cos(np.pi * np.outer(np.arange(DOWN), np.arange(height) / height))
    factors = np.einsum("jy,ix,yxc->jic", down, across, linear).reshape(-1, 3) / (width * height)
    factors[1:] *= 2
    return np.asarray(factors)


def _packed_average(average: NDArray[np.float64]) -> int:
    curve = np.where(
        average <= _LINEAR_BELOW / 12.92,
        average * 12.92,
        1.055 * np.maximum(average, 0) ** (1 / 2.4) - 0.055,
    )
    red, green, blue = (int(value) for value in np.clip(curve * 255 + 0.5, 0, 255))
    return red << 16 | green << 8 | blue


def _packed_wave(wave: NDArray[np.float64]) -> int:
    curve = np.sign(wave) * np.sqrt(np.abs(wave))
    red, green, blue = (int(value) for value in np.clip(np.floor(curve * 9 + 9.5), 0, 18))
    return (red * 19 + green) * 19 + blue


def _base83(value: int, length: int) -> str:
    return "".join(_ALPHABET[value // 83**place % 83] for place in reversed(range(length)))
