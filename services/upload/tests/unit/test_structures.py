import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.inspection import Inspection, inspect_file
from darkroom.upload.domain.verdict import Picture, Verdict

Inspect = Callable[[bytes], Inspection]
WriteFile = Callable[..., bytes]
CORRUPT = {Verdict.TRUNCATED, Verdict.INVALID}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"items": 10_000}, Verdict.TOO_COMPLEX),
        ({"references": 65_000}, Verdict.TOO_COMPLEX),
        ({"size": None}, Verdict.INVALID),
        ({"size": (60_000, 60_000)}, Verdict.TOO_LARGE),
        ({"reach": 10**9}, Verdict.TRUNCATED),
        ({"samples": 501}, Verdict.TOO_COMPLEX),
        ({}, Verdict.OK),
    ],
)
def test_up_15_heif_structures_are_bounded(
    inspect: Inspect, heif: WriteFile, change: dict[str, Any], verdict: Verdict
) -> None:
    assert inspect(heif(**change)).verdict is verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"following": 8}, Verdict.INVALID),
        ({"pages": 1_000}, Verdict.TOO_COMPLEX),
        ({"samples": 60_000}, Verdict.TOO_COMPLEX),
        ({"width": 30_000}, Verdict.TOO_LARGE),
        ({"offset": 10**6}, Verdict.TRUNCATED),
        ({"width": 40}, Verdict.TRUNCATED),
        ({"raw": True}, Verdict.UNSUPPORTED),
        ({}, Verdict.OK),
    ],
)
def test_up_16_tiff_structures_are_bounded(
    inspect: Inspect, tiff_file: WriteFile, change: dict[str, Any], verdict: Verdict
) -> None:
    assert inspect(tiff_file(**change)).verdict is verdict


def test_a_heic_is_as_large_as_its_crop_shows(samples: dict[str, bytes], inspect: Inspect) -> None:
    assert inspect(samples["heic"]).picture == Picture(ImageFormat.HEIC, 64, 48)


def test_frames_of_an_avif_sequence_are_counted(
    samples: dict[str, bytes], inspect: Inspect
) -> None:
    assert inspect(samples["avif animated"]).picture == Picture(ImageFormat.AVIF, 64, 48, 2)


def test_a_webp_stream_larger_than_its_canvas_is_refused(
    pictures: ModuleType, inspect: Inspect
) -> None:
    stream = pictures.webp_bomb_40_bytes()[12:]
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(10)
    body = b"WEBP" + canvas + stream
    lying = b"RIFF" + struct.pack("<I", len(body)) + body
    assert inspect(lying).verdict in {Verdict.TOO_LARGE, Verdict.INVALID}


def test_a_long_jpeg_is_walked_to_its_end_in_pieces(pictures: ModuleType, inspect: Inspect) -> None:
    whole = pictures.jpeg(64, 48)
    stuffed = whole[:-2] + bytes(600_000) + b"\xff\x00" * 300_000
    for padding in range(3):
        assert inspect(stuffed + bytes(padding) + b"\xff\xd9").verdict is Verdict.OK
        assert inspect(stuffed + bytes(padding) + b"\xff").verdict is Verdict.TRUNCATED


def test_every_refusal_is_a_sentence(samples: dict[str, bytes], inspect: Inspect) -> None:
    for content in samples.values():
        reason = inspect(content[: len(content) // 2]).reason
        assert reason.endswith(".")
        assert reason[0].isupper()


def test_reads_are_bounded_by_the_size_that_was_received(
    pictures: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "spooled"
    path.write_bytes(pictures.png())
    with path.open("rb") as file:
        assert inspect_file(file, 40).verdict in CORRUPT
