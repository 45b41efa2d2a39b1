import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from darkroom.contracts.claims import CredentialKind, Scope
from darkroom.contracts.ids import Prefix, encode_id, new_id

FORM = {"content-type": "multipart/form-data; boundary=cut"}
FILE_HEAD = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
END = b"\r\n--cut--\r\n"


@pytest_asyncio.fixture(autouse=True)
async def nothing_is_left(bucket: Any, desk: Any, spool_dir: Path) -> AsyncIterator[None]:
    yield
    left = [name for _, _, names in os.walk(spool_dir) for name in names if name != "lock"]
    assert (await bucket.keys(), desk.registered, left) == ([], {}, [])


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>hello</body></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"PK\x03\x04aaaaaaaaaaaa",
        b"\x7fELF\x02\x01\x01",
        b"GIF89a/*<script>",
    ],
)
async def test_up_02_up_03_what_is_no_picture_is_415(client: Any, content: bytes) -> None:
    reply = await client.send(content, filename="a.jpg", content_type="image/jpeg")
    assert (reply.status, reply.body["code"]) == (415, "unsupported_format")
    assert "JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF and BMP" in reply.body["message"]
    assert "file" in reply.body["details"]


@pytest.mark.parametrize(
    ("trick", "arguments", "code"),
    [
        ("webp_bomb_40_bytes", (), "image_too_large"),
        ("gif_lottapixel", (), "image_too_large"),
        ("png_header_only", (2**31, 2**31), "image_corrupt"),
        ("png_header_only", (0, 5), "image_corrupt"),
        ("png_header_only", (5, 0), "image_corrupt"),
        ("bmp_negative_height", (), "image_too_large"),
        ("png_header_only", (8_000, 8_000), "image_corrupt"),
        ("jpeg_scan_bomb", (2_000, 64), "image_too_complex"),
        ("gif_many_frames", (10_000, 7_000), "image_too_complex"),
        ("png_text_bomb", (300_000,), "image_too_complex"),
        ("png_icc_bomb", (200,), "image_too_complex"),
    ],
)
async def test_up_06_to_up_13_hostile_pictures_are_422(
    client: Any, pictures: ModuleType, trick: str, arguments: tuple[int, ...], code: str
) -> None:
    reply = await client.send(getattr(pictures, trick)(*arguments))
    assert (reply.status, reply.body["code"]) == (422, code)
    assert reply.body["message"].endswith(".")


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99, 1.0])
async def test_up_10_a_cut_jpeg_is_422(client: Any, pictures: ModuleType, fraction: float) -> None:
    reply = await client.send(pictures.truncated(pictures.jpeg(400, 300), fraction))
    assert (reply.status, reply.body["code"]) == (422, "image_corrupt")


async def test_up_23_an_empty_file_is_400(client: Any) -> None:
    reply = await client.send(b"")
    assert (reply.status, reply.body["code"]) == (400, "empty_file")


async def test_up_23_a_form_without_a_file_is_400_naming_it(client: Any) -> None:
    reply = await client.send(None, title="nothing")
    assert (reply.status, reply.body["code"]) == (400, "missing_field")
    assert list(reply.body["details"]) == ["file"]


async def test_up_23_a_body_without_its_end_is_400(client: Any) -> None:
    reply = await client.post(data=FILE_HEAD + b"x" * 100, headers=client.passport_for() | FORM)
    assert (reply.status, reply.body["code"]) == (400, "bad_request")


async def test_up_23_a_connection_closed_half_way_leaves_nothing(
    client: Any, eventually: Any
) -> None:
    host, port = client.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    passport = "".join(f"{name}: {value}\r\n" for name, value in client.passport_for().items())
    head = f"POST /api/v1/upload HTTP/1.1\r\nhost: x\r\n{passport}content-length: 100000\r\n"
    content_type = f"content-type: {FORM['content-type']}\r\n\r\n"
    writer.write(f"{head}{content_type}".encode() + FILE_HEAD + b"x" * 5_000)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    assert await reader.read() == b""


async def test_up_23_gw_15_a_file_announced_too_large_is_413_before_it_is_sent(client: Any) -> None:
    host, port = client.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    passport = "".join(f"{name}: {value}\r\n" for name, value in client.passport_for().items())
    head = f"POST /api/v1/upload HTTP/1.1\r\nhost: x\r\n{passport}content-length: 21000000\r\n"
    writer.write(
        f"{head}content-type: {FORM['content-type']}\r\nexpect: 100-continue\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("announced", [True, False])
async def test_up_23_a_file_over_the_limit_by_one_byte_is_413(client: Any, announced: bool) -> None:
    headers = client.passport_for(credential=CredentialKind.SESSION) | FORM
    content = b"\xff\xd8\xff" + bytes(20_000_000 - 2)

    async def pieces() -> AsyncIterator[bytes]:
        yield FILE_HEAD
        for start in range(0, len(content), 1_000_000):
            yield content[start : start + 1_000_000]
        yield END

    body = FILE_HEAD + content + END if announced else pieces()
    reply = await client.post(data=body, headers=headers)
    assert (reply.status, reply.body["code"]) == (413, "file_too_large")
    assert "20 MB" in reply.body["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": "image/jpeg"}, 415),
        ({"content-type": "multipart/form-data"}, 400),
        ({"content-type": "multipart/form-data; boundary=" + "x" * 200}, 400),
        (FORM | {"content-encoding": "gzip"}, 415),
    ],
)
async def test_a_body_that_is_no_plain_form_is_refused(
    client: Any, headers: dict[str, str], status: int
) -> None:
    reply = await client.post(data=b"{}", headers=client.passport_for() | headers)
    assert (reply.status, reply.body["code"]) == (status, "bad_request")
    assert reply.body["message"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        b'--cut\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 10_000 + b"--cut--\r\n",
        b"--cut\r\nX: " + b"x" * 1_000_000,
        b"\r\n" + b"x" * 10_000_000 + FILE_HEAD + b"x" + END,
        b"",
        b"\0" * 1_000,
    ],
    ids=["10,000 parts", "1 MB header", "10 MB preamble", "nothing", "zeros"],
)
async def test_gw_14_a_hostile_form_is_400_at_once(client: Any, body: bytes) -> None:
    headers = client.passport_for() | FORM
    begun_at = time.perf_counter()
    reply = await client.post(data=body, headers=headers)
    assert (reply.status, reply.body["code"]) == (400, "bad_request")
    assert time.perf_counter() - begun_at < 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("preset", "sepia"), ("visibility", "secret"), ("title", "x" * 300), ("tags", "x" * 100)],
)
async def test_gw_16_a_wrong_field_is_400_naming_it(
    client: Any, pictures: ModuleType, field: str, value: str
) -> None:
    reply = await client.send(pictures.jpeg(), **{field: value})
    assert (reply.status, reply.body["code"]) == (400, "invalid_field")
    assert list(reply.body["details"]) == [field]


async def test_foreign_unknown_and_unreadable_albums_get_the_same_404(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    foreign = encode_id(Prefix.ALBUM, desk.album_of(new_id()))
    unknown = encode_id(Prefix.ALBUM, new_id())
    bodies = []
    for album_id in (foreign, unknown, "your-album-id"):
        reply = await client.send(pictures.jpeg(), album_id=album_id)
        bodies.append({name: reply.body[name] for name in ("error", "message", "code", "details")})
        assert reply.status == 404
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"scopes": frozenset({Scope.READ})}, 403, "scope_missing"),
        ({"credential": CredentialKind.ANONYMOUS}, 401, "credentials_missing"),
        ({"now": 1_000_000}, 401, "credentials_invalid"),
    ],
)
async def test_callers_who_may_not_upload_are_refused(
    client: Any, pictures: ModuleType, options: dict[str, Any], status: int, code: str
) -> None:
    reply = await client.send(pictures.jpeg(), headers=client.passport_for(**options))
    assert (reply.status, reply.body["code"]) == (status, code)


async def test_after_a_refusal_the_next_upload_is_fine(
    client: Any, desk: Any, bucket: Any, pictures: ModuleType
) -> None:
    refused = await client.send(b"nothing")
    accepted = await client.send(pictures.jpeg())
    assert (refused.status, accepted.status) == (415, 201)
    desk.registered.clear()
    for key in await bucket.keys():
        await bucket.blobs.delete(key)
