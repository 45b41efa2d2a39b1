import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from darkroom.testing import pictures
from darkroom.testing.stack import Partr

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

Distance = Callable[[Image.Image, Image.Image], float]

# Lossy coders ring at the quarters' borders; the mean over all pixels stays small when the picture
# is the right one the right way up, and is above 40 for any wrong turn.
MEAN_TOLERANCE = 6.0


@pytest.fixture
def distance() -> Distance:
    def measure(one: Image.Image, other: Image.Image) -> float:
        left, right = (np.asarray(i.convert("RGBA"), np.int16) for i in (one, other))
        assert left.shape == right.shape
        return float(np.abs(left - right).mean())

    return measure


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_up_22_every_exif_orientation_ends_upright(
    partr: Partr, distance: Distance, orientation: int
) -> None:
    image = await partr.develop(pictures.jpeg(96, 64, orientation=orientation))
    assert (image["width"], image["height"]) == (96, 64)
    for url in (image["processed_url"], image["thumbnail_url"]):
        made = pictures.opened((await partr.call("GET", url)).body)
        assert distance(made, pictures.upright(96, 64)) < MEAN_TOLERANCE
        assert made.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        pytest.param(pictures.png_rgba(), "png", id="alpha_png"),
        pytest.param(pictures.webp_rgba(), "webp", id="alpha_webp"),
        pytest.param(pictures.png_palette_alpha(), "png", id="palette_alpha"),
        pytest.param(pictures.png_grey_alpha(), "png", id="grey_alpha"),
    ],
)
async def test_up_21_alpha_survives(
    partr: Partr, distance: Distance, source: bytes, kept: str
) -> None:
    image = await partr.develop(source)
    assert image["format"] == kept
    made = pictures.opened((await partr.call("GET", image["processed_url"])).body)
    wanted = np.asarray(pictures.opened(source).convert("RGBA"))[..., 3].astype(int)
    assert np.abs(np.asarray(made.convert("RGBA"))[..., 3] - wanted).mean() < MEAN_TOLERANCE
    small = pictures.opened((await partr.call("GET", image["thumbnail_url"])).body)
    assert small.convert("RGBA").getchannel("A").getextrema() != (255, 255)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(pictures.jpeg_cmyk(), id="cmyk"),
        pytest.param(pictures.jpeg_cmyk(has_profile=True), id="cmyk_with_profile"),
        pytest.param(pictures.png_rgb16(), id="rgb_16_bit"),
    ],
)
async def test_up_21_an_unusual_mode_shows_the_same_picture(
    partr: Partr, distance: Distance, source: bytes
) -> None:
    image = await partr.develop(source)
    made = pictures.opened((await partr.call("GET", image["processed_url"])).body)
    assert made.mode == "RGB"
    # A profile's own idea of red is a little off ours; a missed inversion would be above 100.
    assert distance(made, pictures.upright()) < 5 * MEAN_TOLERANCE


async def test_up_21_a_16_bit_grey_ramp_stays_a_ramp(partr: Partr) -> None:
    image = await partr.develop(pictures.png_grey16())
    made = pictures.opened((await partr.call("GET", image["processed_url"])).body).convert("L")
    row = np.asarray(made)[0].astype(int)
    assert np.abs(row - np.linspace(0, 255, row.size)).max() < MEAN_TOLERANCE


@pytest.mark.parametrize("source", [pictures.gif_animated(), pictures.webp_animated()])
async def test_up_12_an_animation_keeps_its_frames(partr: Partr, source: bytes) -> None:
    image = await partr.develop(source)
    made = Image.open(io.BytesIO((await partr.call("GET", image["processed_url"])).body))
    assert getattr(made, "n_frames", 1) == len(pictures.FRAME_COLOURS)
    for number, colour in enumerate(pictures.FRAME_COLOURS):
        made.seek(number)
        pixel = np.asarray(made.convert("RGB"), np.int16)[8, 8]
        assert np.abs(pixel - colour).max() < 40
        assert made.info["duration"] >= 20


async def test_a_12_megapixel_photograph_is_developed(partr: Partr) -> None:
    image = await partr.develop(pictures.photograph())
    assert (image["width"], image["height"]) == (4000, 3000)
    processed = await partr.call("GET", image["processed_url"])
    assert pictures.size_of(processed.body) == (4000, 3000)


async def test_up_01_the_content_decides_the_format_not_the_name(partr: Partr) -> None:
    image = await partr.develop(pictures.jpeg(), filename="drawing.png")
    assert image["format"] == "jpeg"
    for url in (image["original_url"], image["processed_url"]):
        reply = await partr.call("GET", url)
        assert reply.headers["content-type"] == "image/jpeg"
        assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["avif", "heic", "tiff", "bmp", "gif"])
async def test_every_accepted_format_develops(
    partr: Partr, distance: Distance, kind: pictures.Format
) -> None:
    image = await partr.develop(pictures.picture(kind))
    assert image["status"] == "ready"
    made = pictures.opened((await partr.call("GET", image["processed_url"])).body)
    assert distance(made.convert("RGB"), pictures.upright()) < 2 * MEAN_TOLERANCE


async def test_up_10_a_file_cut_behind_a_good_header_ends_refused_or_failed_by_name(
    partr: Partr,
) -> None:
    damaged = pictures.corrupted(pictures.png(400, 300))
    reply = await partr.upload(damaged)
    if reply.status == 201:
        image = await partr.terminal(reply.json()["image_id"])
        assert image["status"] == "failed"
        assert image["error"]["code"] == "image_corrupt"
        assert image["processed_url"] is None
    else:
        assert (reply.status, reply.json()["code"]) == (422, "image_corrupt")


async def test_meta_01_nothing_private_is_left_in_what_others_get(partr: Partr) -> None:
    source = pictures.jpeg_tagged()
    assert all(secret in source for secret in pictures.SECRETS)
    image = await partr.develop(source)
    for url in (image["processed_url"], image["thumbnail_url"]):
        body = (await partr.call("GET", url)).body
        assert [secret for secret in pictures.SECRETS if secret in body] == []


async def test_pub_04_media_answer_ranges_etags_and_head(partr: Partr, nobody: Partr) -> None:
    image = await partr.develop(pictures.jpeg(300, 200))
    url = image["processed_url"]
    whole = await nobody.call("GET", url)
    etag = whole.headers["etag"]
    assert not etag.startswith("W/")
    part = await nobody.call("GET", url, headers={"Range": "bytes=2-5"})
    assert (part.status, part.body) == (206, whole.body[2:6])
    beyond = await nobody.call("GET", url, headers={"Range": f"bytes={len(whole.body)}-"})
    assert beyond.status == 416
    unchanged = await nobody.call("GET", url, headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.body) == (304, b"")
    head = await nobody.call("HEAD", url)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


async def test_up_25_a_hostile_name_is_only_ever_text(partr: Partr) -> None:
    # Written by hand: an honest client library refuses to send such a name.
    name = "../../etc/pass\u202ewd\x07.html".encode()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    reply = await partr.call(
        "POST",
        "/api/v1/upload",
        data=head + pictures.jpeg() + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert reply.status == 201
    image = await partr.terminal(reply.json()["image_id"])
    assert not set("/\x07") & set(image["original_filename"])
    original = await partr.call("GET", image["original_url"])
    assert original.headers["content-disposition"].startswith("attachment")
    assert original.headers["content-type"] == "image/jpeg"
