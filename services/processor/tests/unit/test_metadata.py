import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from darkroom.contracts.images import RenditionName
from darkroom.contracts.recipes import Preset
from darkroom.testing import pictures
from darkroom.testing.pictures.plain import encoded
from darkroom.testing.pictures.tagged import SECRETS

SECRET = b"SERIAL-0815"


@pytest.fixture
def segments() -> Callable[[bytes], Iterator[tuple[int, bytes]]]:
    # Written against the JPEG standard, without the library under test.
    def walk(content: bytes) -> Iterator[tuple[int, bytes]]:
        at = 2
        while content[at + 1] != 0xDA:
            size = struct.unpack(">H", content[at + 2 : at + 4])[0]
            yield content[at + 1], content[at + 4 : at + 2 + size]
            at += 2 + size

    return walk


@pytest.fixture
def exif_tags() -> Callable[[bytes], dict[int, bytes]]:
    def read(block: bytes) -> dict[int, bytes]:
        tiff = block.removeprefix(b"Exif\0\0")
        order = "<" if tiff[:2] == b"II" else ">"
        first = struct.unpack(f"{order}I", tiff[4:8])[0]
        count = struct.unpack(f"{order}H", tiff[first : first + 2])[0]
        tags = {}
        for at in range(first + 2, first + 2 + 12 * count, 12):
            tag, _, size, offset = struct.unpack(f"{order}HHII", tiff[at : at + 12])
            start = offset if size > 4 else at + 8
            tags[tag] = tiff[start : start + size]
        following = first + 2 + 12 * count
        assert tiff[following : following + 4] in {b"", bytes(4)}, "a second directory"
        return tags

    return read


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("name", list(RenditionName))
def test_nothing_of_the_camera_or_the_place_is_left_meta_01(
    preset: Preset, name: RenditionName, developed: Callable[..., Any]
) -> None:
    content = developed(pictures.jpeg_tagged(), preset=preset).bytes(name)
    assert [secret for secret in SECRETS if secret in content] == []
    assert b"Acme" not in content


def test_a_jpeg_holds_no_segment_but_the_notice_meta_02(
    developed: Callable[..., Any],
    segments: Callable[[bytes], Iterator[tuple[int, bytes]]],
    exif_tags: Callable[[bytes], dict[int, bytes]],
) -> None:
    content = developed(pictures.jpeg_tagged()).bytes()
    applications = [(m, body) for m, body in segments(content) if m >= 0xE0 and m != 0xFE]
    assert [m for m, _ in segments(content) if m == 0xFE] == []
    assert [m for m, _ in applications] == [0xE0, 0xE1]
    assert exif_tags(applications[1][1]) == {0x8298: b"(c) Someone\0"}


def test_a_notice_outside_ascii_survives(developed: Callable[..., Any]) -> None:
    exif = Image.Exif()
    exif[0x8298] = "© Zoë".encode()
    exif[0x010F] = SECRET
    content = developed(encoded(pictures.upright(), "JPEG", exif=exif)).bytes()
    assert "© Zoë".encode() in content
    assert SECRET not in content


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_every_format_loses_its_metadata_meta_01(kind: str, developed: Callable[..., Any]) -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", SECRET.decode(), zip=False)
    texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    special: dict[str, dict[str, Any]] = {
        "PNG": {"exif": exif, "pnginfo": texts},
        "GIF": {"comment": SECRET, "xmp": SECRET},
        "TIFF": {"exif": exif, "software": SECRET.decode()},
    }
    options = special.get(kind, {"exif": exif, "xmp": SECRET})
    source = encoded(pictures.upright(), kind, **options)
    assert SECRET in source
    outcome = developed(source)
    assert SECRET not in outcome.bytes()
    assert SECRET not in outcome.bytes(RenditionName.THUMBNAIL)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_loses_its_metadata_meta_01(kind: str, developed: Callable[..., Any]) -> None:
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    options: dict[str, Any] = {"comment": SECRET} if kind == "GIF" else {"exif": exif}
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    source = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert SECRET in source
    assert SECRET not in developed(source).bytes()


@pytest.mark.parametrize("make", [pictures.jpeg_with_zip, pictures.jpeg_with_html])
def test_a_tail_behind_the_picture_is_gone_up_04(
    make: Callable[[], bytes], developed: Callable[..., Any]
) -> None:
    content = developed(make()).bytes()
    assert b"PK\x03\x04" not in content
    assert b"<html" not in content.lower()
    assert content.endswith(b"\xff\xd9")
