import hashlib
import re
import time
from types import ModuleType
from typing import Any

import pytest

from darkroom.contracts.claims import PASSPORT_TTL_SECONDS, CredentialKind
from darkroom.contracts.ids import Prefix, decode_id, encode_id, new_id
from darkroom.contracts.images import ImageFormat, Visibility
from darkroom.contracts.recipes import Preset


async def test_an_upload_is_stored_registered_and_answered(
    client: Any, desk: Any, bucket: Any, pictures: ModuleType, eventually: Any
) -> None:
    account_id = new_id()
    album_id = encode_id(Prefix.ALBUM, desk.album_of(account_id))
    content = pictures.jpeg(120, 80)
    reply = await client.send(
        content,
        album_id=album_id,
        preset="enhance",
        visibility="private",
        title="At the sea",
        tags="sea, summer",
        headers=client.passport_for(account_id),
    )
    (image,) = desk.requests
    assert reply.status == 201
    assert reply.body == {
        "image_id": encode_id(Prefix.IMAGE_PARTR, image.image_id),
        "album_id": album_id,
        "status": "queued",
        "original_url": f"http://localhost/storage/uploads/{image.image_id}",
        "created_at": reply.body["created_at"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", reply.body["created_at"])
    assert (image.sha256, image.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (image.format, image.width, image.height) == (ImageFormat.JPEG, 120, 80)
    assert (image.preset, image.visibility) == (Preset.ENHANCE, Visibility.PRIVATE)
    assert (image.title, image.tags) == ("At the sea", ("sea", "summer"))
    assert re.fullmatch(rf"originals/\d{{4}}/\d\d/{image.image_id}", image.original_key)
    assert await bucket.content(image.original_key) == content
    await eventually(bucket.keys, [image.original_key])


async def test_without_an_album_the_default_one_is_used(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    reply = await client.send(pictures.png())
    assert reply.status == 201
    assert decode_id(reply.body["album_id"], Prefix.ALBUM) in desk.albums


async def test_a_session_may_upload(client: Any, pictures: ModuleType) -> None:
    headers = client.passport_for(credential=CredentialKind.SESSION)
    assert (await client.send(pictures.jpeg(), headers=headers)).status == 201


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
async def test_up_01_the_stored_type_is_that_of_the_content(
    client: Any, desk: Any, pictures: ModuleType, kind: str
) -> None:
    reply = await client.send(
        pictures.picture(kind), filename="holiday.gif", content_type="image/x-icon"
    )
    assert (reply.status, desk.requests[0].format) == (201, ImageFormat(kind))


@pytest.mark.parametrize("trick", ["jpeg_with_zip", "jpeg_with_html"])
async def test_up_04_the_original_is_kept_to_the_byte(
    client: Any, desk: Any, bucket: Any, pictures: ModuleType, trick: str
) -> None:
    content = getattr(pictures, trick)()
    assert (await client.send(content)).status == 201
    assert await bucket.content(desk.requests[0].original_key) == content


async def test_up_05_a_polyglot_is_what_it_begins_as(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    assert (await client.send(pictures.png_then_jpeg())).status == 201
    assert desk.requests[0].format is ImageFormat.PNG


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("../../x.jpg", "x.jpg"),
        ("a\x00b.jpg", "ab.jpg"),
        ("\U0001f600.jpg", "\U0001f600.jpg"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("a.jpg.html", "a.jpg.html"),
        ("a\r\nX-Evil: 1.jpg", "aX-Evil: 1.jpg"),
        ("n" * 3_000 + ".jpg", "n" * 251 + ".jpg"),
    ],
)
async def test_up_25_a_file_name_is_kept_as_text_only(
    client: Any, desk: Any, pictures: ModuleType, filename: str, kept: str
) -> None:
    reply = await client.send(pictures.jpeg(), filename=filename)
    (image,) = desk.requests
    assert (reply.status, image.original_filename) == (201, kept)
    assert image.original_key.endswith(str(image.image_id))


async def test_up_26_the_same_bytes_twice_are_two_images(
    client: Any, desk: Any, pictures: ModuleType
) -> None:
    headers = client.passport_for()
    replies = [await client.send(pictures.jpeg(), headers=headers) for _ in range(2)]
    first, second = desk.requests
    assert [reply.status for reply in replies] == [201, 201]
    assert first.sha256 == second.sha256
    assert first.image_id != second.image_id


async def test_a_passport_that_ended_during_the_transfer_still_registers(
    client: Any, desk: Any, pictures: ModuleType, slow_form: Any
) -> None:
    account_id = new_id()
    album_id = encode_id(Prefix.ALBUM, desk.album_of(account_id))
    headers = client.passport_for(account_id, now=int(time.time()) - PASSPORT_TTL_SECONDS + 1)
    body, content_type = slow_form(pictures.jpeg(), seconds=1.2, album_id=album_id)
    reply = await client.post(data=body, headers=headers | {"content-type": content_type})
    assert (reply.status, len(desk.registered)) == (201, 1)
