import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from types import ModuleType

import pytest

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.inspection import Inspection
from darkroom.upload.domain.verdict import Picture, Verdict

Inspect = Callable[[bytes], Inspection]


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_a_sound_picture_is_measured(pictures: ModuleType, inspect: Inspect, name: str) -> None:
    found = inspect(pictures.picture(name, 50, 70))
    assert found.picture == Picture(ImageFormat(name), 50, 70)


def test_up_21_up_22_unusual_modes_are_accepted(
    samples: dict[str, bytes], inspect: Inspect
) -> None:
    refused = {name for name, content in samples.items() if inspect(content).picture is None}
    assert refused == set()


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_up_22_size_is_the_stored_one_whatever_the_orientation(
    pictures: ModuleType, inspect: Inspect, kind: str
) -> None:
    found = inspect(pictures.picture(kind, 60, 40, orientation=6)).require_picture()
    assert (found.width, found.height) == (40, 60)


@pytest.mark.parametrize("animation", ["gif_animated", "webp_animated", "apng_animated"])
def test_frames_are_counted(pictures: ModuleType, inspect: Inspect, animation: str) -> None:
    assert inspect(getattr(pictures, animation)(frames=4)).require_picture().frames == 4


@pytest.mark.parametrize("tail", ["jpeg_with_zip", "jpeg_with_html", "png_then_jpeg"])
def test_up_04_what_follows_the_end_of_a_picture_is_not_looked_at(
    pictures: ModuleType, inspect: Inspect, tail: str
) -> None:
    assert inspect(getattr(pictures, tail)()).verdict is Verdict.OK


def test_up_06_the_webp_bomb_is_refused_by_its_header(
    pictures: ModuleType, inspect: Inspect
) -> None:
    bomb = pictures.webp_bomb_40_bytes()
    tracemalloc.start()
    begun_at = time.perf_counter()
    found = inspect(bomb)
    seconds = time.perf_counter() - begun_at
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(bomb), found.verdict) == (40, Verdict.TOO_LARGE)
    assert "16383 x 5461" in found.reason
    assert seconds < 0.05
    assert peak < 5_000_000


def test_up_07_a_gif_with_a_huge_canvas_is_too_large(
    pictures: ModuleType, inspect: Inspect
) -> None:
    assert inspect(pictures.gif_lottapixel()).verdict is Verdict.TOO_LARGE


def test_up_07_a_gif_frame_beyond_its_canvas_enlarges_it(inspect: Inspect) -> None:
    frame = b"," + struct.pack("<HHHHB", 60_000, 60_000, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    gif = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame + b";"
    assert inspect(gif).verdict is Verdict.TOO_LARGE


@pytest.mark.parametrize(
    ("width", "height", "verdict"),
    [
        (2**31, 2**31, Verdict.INVALID),
        (0, 5, Verdict.INVALID),
        (5, 0, Verdict.INVALID),
        (2**31 - 1, 1, Verdict.TOO_LARGE),
        (20_001, 1, Verdict.TOO_LARGE),
        (8_001, 8_000, Verdict.TOO_LARGE),
    ],
)
def test_up_08_impossible_sizes_are_refused(
    pictures: ModuleType, inspect: Inspect, width: int, height: int, verdict: Verdict
) -> None:
    assert inspect(pictures.png_header_only(width, height)).verdict is verdict


def test_up_08_a_bmp_height_without_a_positive_is_refused(
    pictures: ModuleType, inspect: Inspect
) -> None:
    assert inspect(pictures.bmp_negative_height()).verdict is Verdict.TOO_LARGE


def test_up_08_a_bmp_may_run_from_top_to_bottom(pictures: ModuleType, inspect: Inspect) -> None:
    upside_down = bytearray(pictures.bmp(6, 4))
    upside_down[22:26] = struct.pack("<i", -4)
    assert inspect(bytes(upside_down)).picture == Picture(ImageFormat.BMP, 6, 4)


@pytest.mark.parametrize("side", [5_000, 8_000])
def test_up_09_a_png_without_its_pixels_is_truncated(
    pictures: ModuleType, inspect: Inspect, side: int
) -> None:
    assert inspect(pictures.png_header_only(side, side)).verdict is Verdict.TRUNCATED


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("progressive", [False, True])
def test_up_10_a_cut_jpeg_is_truncated(
    pictures: ModuleType, inspect: Inspect, fraction: float, progressive: bool
) -> None:
    whole = pictures.jpeg(400, 300, progressive=progressive)
    assert inspect(pictures.truncated(whole, fraction)).verdict is Verdict.TRUNCATED


def test_up_10_a_jpeg_with_an_end_but_no_pixels_is_truncated(
    pictures: ModuleType, inspect: Inspect
) -> None:
    whole = pictures.jpeg(400, 300)
    begin = whole.rindex(b"\xff\xda")
    assert inspect(whole[: begin + 20] + b"\xff\xd9").verdict is Verdict.TRUNCATED


def test_up_11_too_many_scans_are_too_complex(pictures: ModuleType, inspect: Inspect) -> None:
    assert inspect(pictures.jpeg_scan_bomb(scans=2_000, side=64)).verdict is Verdict.TOO_COMPLEX
    assert inspect(pictures.jpeg_scan_bomb(scans=80, side=64)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("frames", "side", "verdict"),
    [
        (500, 100, Verdict.OK),
        (501, 100, Verdict.TOO_COMPLEX),
        (10_000, 7_000, Verdict.TOO_COMPLEX),
        (4, 7_071, Verdict.OK),
        (5, 7_000, Verdict.TOO_COMPLEX),
    ],
)
def test_up_12_frames_and_their_pixels_are_bounded(
    pictures: ModuleType, inspect: Inspect, frames: int, side: int, verdict: Verdict
) -> None:
    assert inspect(pictures.gif_many_frames(frames, side)).verdict is verdict


@pytest.mark.parametrize("animation", ["webp_animated", "apng_animated"])
def test_up_12_frames_of_other_formats_are_bounded_as_well(
    pictures: ModuleType, inspect: Inspect, animation: str
) -> None:
    assert inspect(getattr(pictures, animation)(8, 8, frames=501)).verdict is Verdict.TOO_COMPLEX


def test_up_12_a_gif_cut_into_tiny_blocks_is_too_complex(inspect: Inspect) -> None:
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02" + b"\x01\x44" * 50_000
    assert inspect(screen + frame + b"\x00;").verdict is Verdict.TOO_COMPLEX


@pytest.mark.parametrize("bomb", ["png_text_bomb", "png_icc_bomb", "png_inflated_text"])
def test_up_13_bombs_in_png_metadata_are_too_complex(
    pictures: ModuleType, inspect: Inspect, bomb: str
) -> None:
    size = {"png_text_bomb": 2_000}.get(bomb, 20)
    assert inspect(getattr(pictures, bomb)(size)).verdict is Verdict.TOO_COMPLEX


def test_up_13_international_text_is_measured_as_well(
    pictures: ModuleType, inspect: Inspect
) -> None:
    packed = b"Comment\0\x01\0en\0Kommentar\0" + zlib.compress(bytes(20_000_000))
    chunk = struct.pack(">I", len(packed)) + b"iTXt" + packed + bytes(4)
    whole = pictures.png()
    assert inspect(whole[:33] + chunk + whole[33:]).verdict is Verdict.TOO_COMPLEX


def test_up_13_a_jpeg_of_metadata_is_too_complex(pictures: ModuleType, inspect: Inspect) -> None:
    assert inspect(pictures.jpeg_app_segments(255)).verdict is Verdict.OK
    assert inspect(pictures.jpeg_app_segments(1_000)).verdict is Verdict.TOO_COMPLEX


def test_up_14_a_broken_profile_does_not_spoil_a_png(
    pictures: ModuleType, inspect: Inspect
) -> None:
    broken = b"profile\0\0not zlib at all"
    chunk = struct.pack(">I", len(broken)) + b"iCCP" + broken + bytes(4)
    whole = pictures.png()
    assert inspect(whole[:33] + chunk + whole[33:]).verdict is Verdict.OK
