from types import ModuleType

import pytest

from darkroom.contracts.images import ImageFormat
from darkroom.upload.domain.sniff import sniff


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_up_01_the_type_is_told_by_content(pictures: ModuleType, name: str) -> None:
    assert sniff(pictures.picture(name)) is ImageFormat(name)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"<html><body></body></html>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<svg onload=alert(1)>",
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"push graphic-context\nviewbox 0 0 640 480\n",
        b"PK\x03\x04\x14\x00\x00\x00",
        b"\x7fELF\x02\x01\x01\x00",
        b"MZ\x90\x00\x03\x00",
        b"\x00\x00\x00\x0cJXL \r\n\x87\n",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"8BPS\x00\x01",
        b"\x00\x00\x01\x00\x01\x00",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42",
        b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"II*\x00\x10\x00\x00\x00CR\x02\x00",
        b"II+\x00\x08\x00\x00\x00",
        b"BMW is a maker of cars, not of pictures",
    ],
)
def test_up_02_what_is_no_picture_is_no_format(head: bytes) -> None:
    assert sniff(head) is None


def test_up_03_a_script_behind_six_letters_is_no_gif(pictures: ModuleType) -> None:
    assert sniff(b"GIF89a/*<script>") is None
    assert sniff(pictures.gif_script()) is None


def test_up_05_the_first_signature_decides(pictures: ModuleType) -> None:
    assert sniff(pictures.png_then_jpeg()) is ImageFormat.PNG


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"heic\0\0\0\0mif1heic", ImageFormat.HEIC),
        (b"heix\0\0\0\0mif1heix", ImageFormat.HEIC),
        (b"mif1\0\0\0\0mif1heic", ImageFormat.HEIC),
        (b"mif1\0\0\0\0mif1avif", ImageFormat.AVIF),
        (b"avif\0\0\0\0avifmif1", ImageFormat.AVIF),
        (b"avis\0\0\0\0avismsf1", ImageFormat.AVIF),
        (b"mp42\0\0\0\0mif1heic", None),
    ],
)
def test_heif_brands_tell_the_coding(brands: bytes, expected: ImageFormat | None) -> None:
    size = (8 + len(brands)).to_bytes(4, "big")
    assert sniff(size + b"ftyp" + brands) is expected
