import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.recipes import Enhance, Output, Preset, Recipe, Resize
from darkroom.testing import pictures
from darkroom.testing.pictures.plain import encoded, opened

# An encoder at quality 82 moves flat colours by a level or two, and edges between them by more.
CLOSE = 5.0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_orientation_comes_out_upright_and_untagged_up_22(
    kind: Any,
    orientation: int,
    developed: Callable[..., Any],
    difference: Callable[..., float],
    expected: Callable[..., Any],
) -> None:
    outcome = developed(pictures.picture(kind, orientation=orientation))
    assert difference(outcome.pixels(), expected(pictures.upright())) < CLOSE
    assert outcome.image().getexif().get(0x0112) is None
    assert outcome.image(RenditionName.THUMBNAIL).size == (64, 48)
    assert (outcome.findings.width, outcome.findings.height) == (64, 48)


@pytest.mark.parametrize(
    ("make", "written"),
    [
        (pictures.jpeg, ImageFormat.JPEG),
        (pictures.png, ImageFormat.PNG),
        (pictures.webp, ImageFormat.WEBP),
        (pictures.gif, ImageFormat.GIF),
        (pictures.avif, ImageFormat.AVIF),
        (pictures.tiff, ImageFormat.JPEG),
        (pictures.bmp, ImageFormat.JPEG),
    ],
)
def test_processed_keeps_the_format_where_it_can_be_written(
    make: Callable[[], bytes],
    written: ImageFormat,
    developed: Callable[..., Any],
    difference: Callable[..., float],
    expected: Callable[..., Any],
) -> None:
    outcome = developed(make())
    made = outcome.made()
    assert made.format is written
    assert made.key == f"renditions/x/processed.{written.extension}"
    assert made.size_bytes == len(outcome.bytes())
    assert difference(outcome.pixels(), expected(pictures.upright())) < CLOSE


def test_a_heic_becomes_a_jpeg(developed: Callable[..., Any]) -> None:
    outcome = developed(pictures.heic())
    assert outcome.made().format is ImageFormat.JPEG


def test_a_tiff_with_alpha_becomes_a_png(developed: Callable[..., Any]) -> None:
    clear = Image.new("RGBA", (20, 10), (200, 10, 10, 90))
    outcome = developed(encoded(clear, "TIFF"))
    assert outcome.made().format is ImageFormat.PNG
    assert outcome.image().getpixel((3, 3)) == (200, 10, 10, 90)


@pytest.mark.parametrize("make", [pictures.png_rgb16, pictures.jpeg_cmyk])
def test_other_colour_modes_show_the_same_picture_up_21(
    make: Callable[[], bytes],
    developed: Callable[..., Any],
    difference: Callable[..., float],
    expected: Callable[..., Any],
) -> None:
    outcome = developed(make())
    assert difference(outcome.pixels(), expected(pictures.upright())) < 3 * CLOSE


def test_cmyk_goes_through_its_profile_up_21(developed: Callable[..., Any]) -> None:
    plain = developed(pictures.jpeg_cmyk()).pixels()
    profiled = developed(pictures.jpeg_cmyk(has_profile=True)).pixels()
    assert profiled[1, 1].min() > 245
    assert np.abs(plain - profiled).max() > 40
    for y, x in ((20, 20), (20, 50), (40, 50)):
        assert np.argmax(profiled[y, x]) == np.argmax(plain[y, x])


def test_a_16_bit_grey_ramp_keeps_its_tones_up_21(developed: Callable[..., Any]) -> None:
    row = developed(pictures.png_grey16(width=256)).pixels()[0, :, 0]
    assert np.abs(row - np.arange(256)).max() <= 1


def test_one_bit_stays_black_and_white_up_21(developed: Callable[..., Any]) -> None:
    outcome = developed(pictures.png_one_bit())
    source = opened(pictures.png_one_bit()).convert("L")
    assert np.array_equal(np.asarray(outcome.image().convert("L")), np.asarray(source))


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (2, 3)])
def test_extreme_shapes_develop_up_21(size: tuple[int, int], developed: Callable[..., Any]) -> None:
    outcome = developed(pictures.png(*size))
    thumbnail = outcome.made(RenditionName.THUMBNAIL)
    assert (outcome.made().width, outcome.made().height) == size
    assert max(thumbnail.width, thumbnail.height) <= 320
    assert min(thumbnail.width, thumbnail.height) >= 1
    assert len(outcome.findings.phash) == 64


@pytest.mark.parametrize(
    "make", [pictures.png_rgba, pictures.webp_rgba, pictures.png_palette_alpha]
)
def test_alpha_is_kept_up_21(make: Callable[[], bytes], developed: Callable[..., Any]) -> None:
    outcome = developed(make())
    before = np.asarray(opened(make()).convert("RGBA"))[..., 3].astype(np.int16)
    after = np.asarray(outcome.image().convert("RGBA"))[..., 3].astype(np.int16)
    assert np.abs(before - after).max() <= 2
    assert outcome.findings.has_alpha
    assert "A" in outcome.image(RenditionName.THUMBNAIL).getbands()


def test_an_alpha_channel_that_is_opaque_throughout_is_dropped(
    developed: Callable[..., Any],
) -> None:
    outcome = developed(encoded(pictures.upright().convert("RGBA"), "PNG"))
    assert outcome.image().mode == "RGB"
    assert not outcome.findings.has_alpha


def test_alpha_into_jpeg_shows_white(developed: Callable[..., Any]) -> None:
    recipe = Recipe(output=Output(format=ImageFormat.JPEG, quality=95))
    outcome = developed(pictures.png_rgba(), recipe=recipe)
    assert outcome.pixels()[24, 63].min() > 245


def test_a_palette_survives_when_nothing_changes(developed: Callable[..., Any]) -> None:
    source = encoded(pictures.upright().quantize(16), "PNG")
    outcome = developed(source)
    assert outcome.image().mode == "P"
    assert len(outcome.bytes()) <= len(source) + 64


def test_a_wide_gamut_profile_is_converted_up_14(developed: Callable[..., Any]) -> None:
    # A profile with red and green exchanged: nobody could overlook a conversion left out.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    source = encoded(Image.new("RGB", (16, 16), (255, 0, 0)), "PNG", icc_profile=bytes(profile))
    outcome = developed(source)
    assert outcome.pixels()[8, 8].tolist() == [0, 255, 0]
    assert "icc_profile" not in outcome.image().info


@pytest.mark.parametrize("spoil", [lambda p: p[:100], lambda p: bytes(len(p)), lambda p: b""])
def test_a_broken_profile_is_dropped_up_14(
    spoil: Callable[[bytes], bytes], developed: Callable[..., Any]
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = encoded(pictures.upright(), "PNG", icc_profile=spoil(profile))
    assert developed(source).image().getpixel((10, 40)) == pictures.upright().getpixel((10, 40))


def test_a_profile_of_another_colour_space_is_dropped_up_14(
    developed: Callable[..., Any],
) -> None:
    profile = opened(pictures.jpeg_cmyk(has_profile=True)).info["icc_profile"]
    source = encoded(pictures.upright(), "PNG", icc_profile=profile)
    assert developed(source).image().getpixel((10, 40)) == pictures.upright().getpixel((10, 40))


def test_a_thumbnail_fits_its_box_and_is_never_enlarged(developed: Callable[..., Any]) -> None:
    wide = developed(pictures.jpeg(1000, 500)).made(RenditionName.THUMBNAIL)
    assert (wide.width, wide.height, wide.format) == (320, 160, ImageFormat.WEBP)
    small = developed(pictures.jpeg(100, 50)).made(RenditionName.THUMBNAIL)
    assert (small.width, small.height) == (100, 50)


def test_a_large_thumbnail_looks_like_one_made_from_the_whole_picture(
    developed: Callable[..., Any], difference: Callable[..., float]
) -> None:
    source = pictures.photograph(1600, 1200)
    outcome = developed(source)
    careful = opened(source).resize((320, 240), Image.Resampling.LANCZOS)
    assert difference(outcome.pixels(RenditionName.THUMBNAIL), np.asarray(careful)) < CLOSE


def test_enhance_stretches_tones_and_keeps_the_balance(developed: Callable[..., Any]) -> None:
    ramp = np.tile(np.linspace(60, 180, 256).astype(np.uint8), (64, 1))
    dull = np.stack([ramp, ramp, ramp], axis=-1)
    source = encoded(Image.fromarray(dull), "PNG")
    after = developed(source, recipe=Recipe(operations=(Enhance(),))).pixels()
    assert np.ptp(after) > 1.2 * np.ptp(dull.astype(np.int16))
    assert np.abs(after[..., 0] - after[..., 2]).max() <= 1


def test_enhance_leaves_transparency_alone(developed: Callable[..., Any]) -> None:
    before = pictures.png_rgba()
    outcome = developed(before, preset=Preset.ENHANCE)
    alpha = np.asarray(outcome.image())[..., 3]
    assert np.array_equal(alpha, np.asarray(opened(before))[..., 3])


def test_operations_run_in_their_order(developed: Callable[..., Any]) -> None:
    recipe = Recipe(operations=(Resize(width=30, height=30), Enhance()))
    assert developed(pictures.jpeg(300, 150), recipe=recipe).image().size == (30, 15)


def test_the_same_input_gives_the_same_bytes_up_30(developed: Callable[..., Any]) -> None:
    first = developed(pictures.photograph(640, 480)).bytes()
    assert developed(pictures.photograph(640, 480)).bytes() == first


def test_high_quality_keeps_full_colour_resolution(developed: Callable[..., Any]) -> None:
    content = developed(pictures.jpeg(), preset=Preset.NONE).bytes()
    assert Image.open(io.BytesIO(content)).layer[0][1:3] == (1, 1)  # type: ignore[attr-defined]
