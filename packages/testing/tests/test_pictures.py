import io
import time
import zipfile

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms, ImageOps

from darkroom.testing import pictures

ORIENTED = ("jpeg", "png", "webp", "tiff")


def assert_alike(image: Image.Image, expected: Image.Image, *, tolerance: float = 6) -> None:
    assert image.size == expected.size
    difference = np.asarray(image.convert("RGB"), int) - np.asarray(expected.convert("RGB"), int)
    assert np.abs(difference).mean() < tolerance


@pytest.mark.parametrize("kind", ORIENTED)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_shows_the_same_upright_picture(
    kind: pictures.Format, orientation: int
) -> None:
    content = pictures.picture(kind, 64, 40, orientation=orientation)
    stored = pictures.opened(content)
    # Pillow turns TIFFs on its own while it decodes them.
    assert (stored.size == (40, 64)) is (orientation >= 5 and kind != "tiff")
    assert_alike(ImageOps.exif_transpose(stored), pictures.upright(64, 40))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"])
def test_every_format_is_what_it_says(kind: pictures.Format) -> None:
    image = pictures.opened(pictures.picture(kind, 64, 40))
    assert (image.format or "").lower() == kind
    assert_alike(image, pictures.upright(64, 40))


def test_a_photograph_has_twelve_megapixels_and_the_weight_of_one() -> None:
    started = time.perf_counter()
    content = pictures.photograph()
    assert time.perf_counter() - started < 10
    assert pictures.size_of(content) == (4_000, 3_000)
    assert 3_000_000 < len(content) < 5_000_000


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (pictures.png_rgba(), "RGBA"),
        (pictures.webp_rgba(), "RGBA"),
        (pictures.png_grey_alpha(), "LA"),
        (pictures.png_grey16(), "I;16"),
        (pictures.png_palette_alpha(), "P"),
        (pictures.png_one_bit(), "1"),
        (pictures.jpeg_cmyk(), "CMYK"),
    ],
)
def test_every_mode_is_read_back(content: bytes, mode: str) -> None:
    assert pictures.opened(content).mode == mode


def test_sixteen_bit_colour_is_sixteen_bits_in_the_file() -> None:
    content = pictures.png_rgb16(64, 40)
    assert content[24:26] == bytes((16, 2))
    assert_alike(pictures.opened(content), pictures.upright(64, 40))


def test_a_cmyk_profile_gives_back_the_colours() -> None:
    image = pictures.opened(pictures.jpeg_cmyk(64, 40, has_profile=True))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    shown = ImageCms.profileToProfile(
        image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert shown is not None
    red, green, blue = shown.getpixel((24, 16))  # type: ignore[misc]
    assert red > 150 > max(green, blue)


@pytest.mark.parametrize(
    "content",
    [pictures.gif_animated(), pictures.webp_animated(), pictures.apng_animated()],
    ids=["gif", "webp", "apng"],
)
def test_an_animation_has_its_frames_in_order(content: bytes) -> None:
    image = Image.open(io.BytesIO(content))
    assert getattr(image, "n_frames", 1) == 4
    for number, colour in enumerate(pictures.FRAME_COLOURS):
        image.seek(number)
        assert_alike(image, Image.new("RGB", image.size, colour))


def test_a_hidden_default_image_is_white() -> None:
    image = pictures.opened(pictures.apng_animated(has_hidden_default=True))
    assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


def test_a_tagged_jpeg_tells_everything() -> None:
    content = pictures.jpeg_tagged(64, 40)
    image = Image.open(io.BytesIO(content))
    exif = image.getexif()
    assert all(secret in content for secret in pictures.SECRETS)
    assert exif.get_ifd(0x8825)[2][0] == 48
    assert exif.get_ifd(0x8769)[0xA431] == "SERIAL-0815"
    assert exif.get_ifd(ExifTags.IFD.IFD1)[0x0202] > 300
    assert image.info["comment"] == b"home, sweet home"
    assert_alike(ImageOps.exif_transpose(image), pictures.upright(64, 40))


def test_the_bomb_is_a_valid_webp_of_forty_bytes() -> None:
    content = pictures.webp_bomb_40_bytes()
    assert len(content) == 40
    assert pictures.size_of(content) == (16_383, 5_461)


def test_a_lottapixel_gif_is_small_and_claims_four_gigapixels() -> None:
    content = pictures.gif_lottapixel()
    assert len(content) < 70
    assert content[6:10] == b"\xfa\xfa\xfa\xfa"


def test_thousands_of_scans_fit_a_small_file() -> None:
    content = pictures.jpeg_scan_bomb(2_000)
    assert content.count(b"\xff\xda") > 2_000
    assert len(content) < 250_000
    small = pictures.jpeg_scan_bomb(20, 64)
    assert pictures.opened(small).size == (64, 64)


def test_inflating_chunks_are_a_thousandth_of_what_they_become() -> None:
    assert len(pictures.png_inflated_text(100)) < 150_000
    assert len(pictures.png_icc_bomb(100)) < 150_000


def test_polyglots_are_both_things() -> None:
    content = pictures.jpeg_with_zip()
    assert pictures.opened(content).size == (64, 48)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["payload.txt"]


def test_damage_leaves_the_header_readable_and_the_pixels_not() -> None:
    content = pictures.png(200, 100)
    for damaged in (pictures.truncated(content), pictures.corrupted(content)):
        assert pictures.size_of(damaged) == (200, 100)
        with pytest.raises((OSError, SyntaxError)):
            pictures.opened(damaged)
