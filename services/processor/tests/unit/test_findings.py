from collections.abc import Callable
from typing import Any

import blurhash
import numpy as np
import pdqhash
import pytest
import thumbhash
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from darkroom.processor.pipeline.blurhash import encode_blurhash
from darkroom.processor.pipeline.findings import find_pdq, flattened, within
from darkroom.processor.pipeline.palette import find_palette
from darkroom.processor.pipeline.thumbhash import encode_thumbhash
from darkroom.testing import pictures
from darkroom.testing.pictures.plain import encoded, opened


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 1_000))
def test_blurhash_agrees_with_the_reference(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    reference = blurhash.encode(pixels.tolist(), components_x=4, components_y=3)
    assert encode_blurhash(pixels) == reference


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 1_000))
def test_thumbhash_agrees_with_the_reference(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    # The package rounds halves to even where the format's own code rounds them up.
    assume(2 * 7 * min(width, height) % max(width, height) != 0 or width == height)
    reference = thumbhash.rgba_to_thumb_hash(width, height, pixels.ravel().tolist())
    ours = encode_thumbhash(pixels)
    # A wave of exactly zero is a half as well, and falls on either side, one step apart.
    assert len(ours) == len(reference)
    assert sum(a != b for a, b in zip(ours, reference, strict=True)) <= 3


@given(seed=st.integers(0, 1_000), alpha=st.integers(1, 254))
def test_thumbhash_tells_colour_and_transparency_to_the_reference(seed: int, alpha: int) -> None:
    # The reference cannot encode transparency, so it is asked to read ours.
    colour = np.random.default_rng(seed).integers(0, 256, 3)
    pixels = np.full((20, 30, 4), [*colour, alpha], np.uint8)
    found = thumbhash.thumb_hash_to_average_rgba(list(encode_thumbhash(pixels)))
    assert np.abs(np.array(found[:3]) * 255 - colour).max() < 16
    assert abs(found[3] * 255 - alpha) < 10


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (12, 200, 99)])
def test_flat_pictures_have_placeholders_and_one_colour(colour: tuple[int, int, int]) -> None:
    flat = Image.new("RGB", (32, 32), colour)
    assert encode_blurhash(np.asarray(flat)) == blurhash.encode(
        np.asarray(flat).tolist(), components_x=4, components_y=3
    )
    assert find_palette(flat.convert("RGBA")) == ("#{:02x}{:02x}{:02x}".format(*colour),)


def test_the_palette_is_ordered_by_weight() -> None:
    image = Image.new("RGBA", (100, 10), (250, 0, 0, 255))
    image.paste((0, 0, 250, 255), (0, 0, 30, 10))
    image.paste((0, 250, 0, 255), (0, 0, 10, 10))
    assert find_palette(image) == ("#fa0000", "#0000fa", "#00fa00")


def test_a_palette_has_at_most_six_colours() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert 5 <= len(find_palette(Image.fromarray(noise).convert("RGBA"))) <= 6


def test_what_cannot_be_seen_has_no_palette() -> None:
    assert find_palette(Image.new("RGBA", (10, 10), (5, 5, 5, 0))) == ()


def test_the_hash_of_a_reduced_picture_matches_the_hash_of_the_whole() -> None:
    whole = opened(pictures.photograph(2000, 1500))
    bits, _ = pdqhash.compute(np.asarray(whole.convert("RGB")))
    found, quality = find_pdq(whole.reduce(3))
    distance = (int(found, 16) ^ int(np.packbits(bits).tobytes().hex(), 16)).bit_count()
    # Lists match within 31 bits of 256.
    assert distance <= 16
    assert quality > 50


def test_duplicates_are_near_and_others_far(developed: Callable[..., Any]) -> None:
    original = int(developed(pictures.photograph(1200, 900)).findings.phash, 16)
    smaller = opened(pictures.photograph(1200, 900)).resize((600, 450))
    again = int(developed(encoded(smaller, "JPEG", quality=60)).findings.phash, 16)
    other = int(developed(pictures.photograph(1200, 900, seed=8)).findings.phash, 16)
    assert (original ^ again).bit_count() <= 31
    assert (original ^ other).bit_count() > 60


@given(width=st.integers(1, 3_000), height=st.integers(1, 3_000), side=st.integers(1, 200))
def test_within_never_exceeds_its_side(width: int, height: int, side: int) -> None:
    made = within(Image.new("L", (width, height)), side)
    assert max(made.size) <= side
    assert min(made.size) >= 1


def test_flattening_paints_white_behind() -> None:
    half = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    assert flattened(half).getpixel((0, 0)) == (127, 127, 127)
