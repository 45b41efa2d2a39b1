from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.recipes import Recipe, Resize
from darkroom.testing import pictures
from darkroom.testing.pictures.plain import encoded

COLOURS = ((200, 0, 0), (0, 160, 0), (0, 0, 200), (220, 200, 0))


@pytest.mark.parametrize(
    ("make", "written"),
    [
        (pictures.gif_animated, ImageFormat.GIF),
        (pictures.webp_animated, ImageFormat.WEBP),
        (pictures.apng_animated, ImageFormat.PNG),
    ],
)
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(operations=(Resize(width=32, height=32),))])
def test_frames_durations_and_loop_survive_up_12(
    make: Callable[[], bytes], written: ImageFormat, recipe: Recipe, developed: Callable[..., Any]
) -> None:
    outcome = developed(make(), recipe=recipe)
    image = outcome.image()
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        frames.append(np.asarray(frame.convert("RGB"))[5, 5])
        durations.append(frame.info["duration"])
    assert outcome.made().format is written
    assert np.abs(np.array(frames, int) - np.array(COLOURS)).max() < 12
    assert durations == [80] * 4
    assert image.info["loop"] == 0
    assert outcome.findings.frames == 4


def test_a_thumbnail_is_the_first_frame(developed: Callable[..., Any]) -> None:
    outcome = developed(pictures.gif_animated())
    assert not getattr(outcome.image(RenditionName.THUMBNAIL), "is_animated", False)
    assert np.abs(outcome.pixels(RenditionName.THUMBNAIL)[5, 5] - COLOURS[0]).max() < 12


def test_a_hidden_default_image_is_not_a_frame(developed: Callable[..., Any]) -> None:
    outcome = developed(pictures.apng_animated(has_hidden_default=True))
    assert outcome.findings.frames == 4
    assert outcome.image().n_frames == 4
    assert np.abs(outcome.pixels(RenditionName.THUMBNAIL)[5, 5] - COLOURS[0]).max() < 12


@pytest.mark.parametrize("make", [pictures.gif_animated, pictures.webp_animated])
def test_durations_are_at_least_20_ms_up_12(
    make: Callable[..., bytes], developed: Callable[..., Any]
) -> None:
    image = developed(make(duration=10)).image()
    for frame in ImageSequence.Iterator(image):
        frame.load()
        assert frame.info["duration"] == 20


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_a_clear_frame_does_not_show_the_one_before(
    kind: str, developed: Callable[..., Any]
) -> None:
    frames = []
    for left in (0, 20, 40):
        frame = Image.new("RGBA", (60, 30), (0, 0, 0, 0))
        frame.paste((250, 0, 0, 255), (left, 5, left + 15, 25))
        frames.append(frame)
    options = {"disposal": 2} if kind == "GIF" else {"disposal": 1} if kind == "PNG" else {}
    source = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=50, loop=0, **options
    )
    image = developed(source, recipe=Recipe(operations=(Resize(width=60, height=60),))).image()
    for at, frame in enumerate(ImageSequence.Iterator(image)):
        alpha = np.asarray(frame.convert("RGBA"))[15, :, 3]
        assert alpha[20 * at + 7] > 200
        assert all(alpha[20 * other + 7] < 50 for other in range(3) if other != at)


def test_an_animated_avif_keeps_its_frames(developed: Callable[..., Any]) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in COLOURS]
    source = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=80)
    outcome = developed(source)
    assert outcome.made().format is ImageFormat.AVIF
    assert outcome.findings.frames == 4
    assert outcome.image().n_frames == 4
