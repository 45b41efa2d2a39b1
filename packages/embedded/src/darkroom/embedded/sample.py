"""The sample picture: mountains at dusk, the same every time, drawn from sines."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH: Final = 1_600
HEIGHT: Final = 1_067
FILENAME: Final = "dusk.jpg"
_NIGHT: Final = np.array((38, 34, 82), np.float32)
_GLOW: Final = np.array((255, 176, 112), np.float32)
_SUN: Final = np.array((255, 244, 214), np.float32)
_HAZE: Final = np.array((214, 142, 140), np.float32)
_NEAR: Final = np.array((18, 16, 38), np.float32)
_RIDGES: Final = 6
_Plane = NDArray[np.float32]


def draw() -> bytes:
    """Return the picture as a JPEG."""
    across = np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    picture = _sky(across, down)
    for number in range(_RIDGES):
        picture = _with_ridge(picture, across, down, number)
    buffer = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _sky(across: _Plane, down: _Plane) -> _Plane:
    """Blend night into glow towards the horizon, and set a sun with a halo into it."""
    sky = _NIGHT + (_GLOW - _NIGHT) * np.minimum(down / 0.62, 1) ** 1.6
    # The picture is half again as wide as high, so distances across count that much more.
    distance = np.sqrt(((across - 0.68) * WIDTH / HEIGHT) ** 2 + (down - 0.43) ** 2)
    halo = np.exp(-distance * 5.5) * 90
    disc = np.clip((0.055 - distance) * 400, 0, 1)
    lit: _Plane = (sky + halo) * (1 - disc) + _SUN * disc
    return lit


def _with_ridge(picture: _Plane, across: _Plane, down: _Plane, number: int) -> _Plane:
    """Lay a ridge over the picture: the nearer, the lower, the rougher and the darker."""
    nearness = number / (_RIDGES - 1)
    crest = 0.5 + 0.36 * nearness
    for octave in range(1, 6):
        # Irrational steps keep the ridges from lining up.
        phase = number * 2.399 + octave * 1.618
        waves = 1.7 * 2**octave * (0.6 + 0.5 * nearness)
        crest = crest - 0.055 / octave**1.35 * np.sin(across * waves + phase)
    # One pixel of the crest is blended, so that it does not look cut out.
    below = np.clip((down - crest) * HEIGHT, 0, 1)
    mist = np.clip((down - crest) * 2.2, 0, 1) * (1 - nearness) * 0.35
    colour = _HAZE + (_NEAR - _HAZE) * nearness**0.8
    covered: _Plane = picture * (1 - below) + (colour + (_HAZE - colour) * mist) * below
    return covered
