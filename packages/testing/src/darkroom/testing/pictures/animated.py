"""Animations: each frame one colour, so that a test can tell which it sees."""

from typing import Final

from PIL import Image

from darkroom.testing.pictures.plain import encoded

FRAME_COLOURS: Final = ((200, 0, 0), (0, 160, 0), (0, 0, 200), (220, 200, 0))


def gif_animated(
    width: int = 64, height: int = 48, *, frames: int = 4, duration: int = 80
) -> bytes:
    """Return a GIF that repeats for ever; `duration` is each frame's in milliseconds."""
    return _animation("GIF", width, height, frames, duration=duration, loop=0)


def webp_animated(
    width: int = 64, height: int = 48, *, frames: int = 4, duration: int = 80
) -> bytes:
    """Return a lossless animated WebP."""
    return _animation("WEBP", width, height, frames, duration=duration, loop=0, lossless=True)


def apng_animated(
    width: int = 64, height: int = 48, *, frames: int = 4, has_hidden_default: bool = False
) -> bytes:
    """Return an animated PNG; a hidden default is what viewers without APNG show: plain white."""
    if not has_hidden_default:
        return _animation("PNG", width, height, frames, duration=80, loop=0)
    default, shown = Image.new("RGB", (width, height), "white"), _frames(width, height, frames)
    return encoded(default, "PNG", save_all=True, append_images=shown, default_image=True)


def _frames(width: int, height: int, count: int) -> list[Image.Image]:
    colours = [FRAME_COLOURS[number % len(FRAME_COLOURS)] for number in range(count)]
    return [Image.new("RGB", (width, height), colour) for colour in colours]


def _animation(kind: str, width: int, height: int, count: int, **options: object) -> bytes:
    first, *rest = _frames(width, height, count)
    return encoded(first, kind, save_all=True, append_images=rest, **options)
