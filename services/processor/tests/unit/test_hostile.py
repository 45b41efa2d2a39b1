import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from darkroom.processor.domain.verdict import PROBLEMS, Verdict
from darkroom.testing import pictures


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        pytest.param(pictures.webp_bomb_40_bytes, Verdict.TOO_LARGE, id="up-06"),
        pytest.param(pictures.gif_lottapixel, Verdict.TOO_LARGE, id="up-07"),
        pytest.param(
            lambda: pictures.png_header_only(2**31 - 1, 2**31 - 1), Verdict.TRUNCATED, id="up-08"
        ),
        pytest.param(lambda: pictures.png_header_only(0, 5), Verdict.TRUNCATED, id="up-08-empty"),
        pytest.param(pictures.bmp_negative_height, Verdict.TOO_LARGE, id="up-08-negative"),
        pytest.param(lambda: pictures.png_header_only(9_000, 9_000), Verdict.TRUNCATED, id="up-09"),
        pytest.param(pictures.jpeg_scan_bomb, Verdict.TOO_COMPLEX, id="up-11"),
        pytest.param(pictures.gif_many_frames, Verdict.TOO_COMPLEX, id="up-12"),
        pytest.param(pictures.png_text_bomb, Verdict.TOO_COMPLEX, id="up-13-texts"),
        pytest.param(pictures.png_icc_bomb, Verdict.TOO_COMPLEX, id="up-13-profile"),
        pytest.param(pictures.png_inflated_text, Verdict.TOO_COMPLEX, id="up-13-inflated"),
        pytest.param(pictures.jpeg_app_segments, Verdict.TOO_COMPLEX, id="up-13-segments"),
        pytest.param(pictures.svg, Verdict.UNSUPPORTED, id="up-02"),
        pytest.param(pictures.gif_script, Verdict.INVALID, id="up-03"),
        pytest.param(bytes, Verdict.INVALID, id="empty"),
    ],
)
def test_a_hostile_file_is_judged_by_its_structure(
    make: Callable[[], bytes], verdict: Verdict, developed: Callable[..., Any]
) -> None:
    content = make()
    started = time.process_time()
    assert developed(content).verdict is verdict
    # A second of work would mean that pixels were decoded; the verdicts take milliseconds.
    assert time.process_time() - started < 1


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99, 0.999])
@pytest.mark.parametrize("make", [pictures.jpeg, pictures.png, pictures.webp])
def test_a_cut_file_is_truncated_up_10(
    make: Callable[[], bytes], fraction: float, developed: Callable[..., Any]
) -> None:
    content = pictures.truncated(make(), fraction)
    assert developed(content).verdict in {Verdict.TRUNCATED, Verdict.UNSUPPORTED, Verdict.INVALID}


@pytest.mark.parametrize("lost", [1, 2, 40])
def test_a_jpeg_without_its_end_is_truncated_up_10(
    lost: int, developed: Callable[..., Any]
) -> None:
    assert developed(pictures.jpeg(200, 200)[:-lost]).verdict is Verdict.TRUNCATED


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "avif"])
def test_a_corrupted_file_gets_a_verdict_up_17(
    kind: Any, seed: int, developed: Callable[..., Any]
) -> None:
    content = pictures.corrupted(pictures.picture(kind), seed=seed, flips=5 + 5 * seed)
    outcome = developed(content)
    assert outcome.verdict is Verdict.OK or outcome.verdict in PROBLEMS
    assert outcome.verdict is not Verdict.CRASH


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8X", b"II*\x00"]
    ),
    tail=st.binary(max_size=200),
)
def test_noise_behind_a_signature_is_refused(
    head: bytes, tail: bytes, developed: Callable[..., Any]
) -> None:
    verdict = developed(head + tail).verdict
    assert verdict not in {Verdict.OK, Verdict.CRASH, Verdict.RESOURCES}


def test_an_ordinary_progressive_jpeg_is_fine(developed: Callable[..., Any]) -> None:
    content = pictures.jpeg(300, 200, progressive=True)
    assert developed(content).verdict is Verdict.OK


def test_a_tail_of_noise_is_not_counted_as_scans(developed: Callable[..., Any]) -> None:
    content = pictures.jpeg(300, 200, progressive=True) + b"\xff\xda\x00\x02" * 500
    assert developed(content).verdict is Verdict.OK


def test_a_tiff_whose_directories_loop_shows_its_first_page_up_16(
    developed: Callable[..., Any],
) -> None:
    content = bytearray(pictures.tiff())
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    following = first + 2 + 12 * count
    content[following : following + 4] = first.to_bytes(4, "little")
    assert developed(bytes(content)).verdict is Verdict.OK


def test_a_tiff_of_many_pages_shows_its_first_up_16(developed: Callable[..., Any]) -> None:
    page = Image.new("L", (8, 8), 90)
    buffer = io.BytesIO()
    page.save(buffer, "TIFF", save_all=True, append_images=[page] * 300)
    outcome = developed(buffer.getvalue())
    assert outcome.findings.frames == 1
    assert outcome.image().size == (8, 8)


def test_a_tiff_with_absurd_samples_is_invalid_up_16(developed: Callable[..., Any]) -> None:
    content = bytearray(pictures.tiff())
    first = int.from_bytes(content[4:8], "little")
    entry = content.index((0x0115).to_bytes(2, "little"), first)
    content[entry + 8 : entry + 10] = (60_000).to_bytes(2, "little")
    assert developed(bytes(content)).verdict is Verdict.INVALID


def test_a_polyglot_is_what_its_first_signature_says_up_05(
    developed: Callable[..., Any],
) -> None:
    outcome = developed(pictures.png_then_jpeg())
    assert outcome.bytes().startswith(b"\x89PNG")
    assert b"\xff\xd8\xff" not in outcome.bytes()


def test_every_verdict_but_ok_has_a_problem() -> None:
    assert set(PROBLEMS) == set(Verdict) - {Verdict.OK}
