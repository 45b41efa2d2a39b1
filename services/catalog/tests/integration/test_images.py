import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.catalog.domain.image import Image
from darkroom.catalog.operations.results import fail_job
from darkroom.contracts.claims import CredentialKind, Scope
from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.contracts.images import Visibility
from darkroom.contracts.jobs import JobFailedV1
from darkroom.contracts.problems import ProblemCode
from darkroom.contracts.surfaces import Stage
from darkroom.platform.db.session import SessionFactory, transaction

Make = Callable[..., Awaitable[Image]]

# The fields of the documented detail, then those the HTTP contract adds.
DETAIL = [
    "id",
    "album_id",
    "status",
    "original_filename",
    "original_url",
    "processed_url",
    "thumbnail_url",
    "width",
    "height",
    "format",
    "size_bytes",
    "processing_duration_ms",
    "created_at",
    "processed_at",
    "blurhash",
    "thumbhash",
    "palette",
    "phash",
    "labels",
    "nsfw_score",
]
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


def path_of(image: Image, prefix: Prefix = Prefix.IMAGE_PARTR) -> str:
    return f"/api/v1/images/{encode_id(prefix, image.id)}"


async def test_a_ready_image_has_every_documented_field(caller: Any, develop: Make) -> None:
    image = await develop()
    detail = (await caller.get(path_of(image))).json
    public_id = encode_id(Prefix.IMAGE_PARTR, image.id)
    assert list(detail) == DETAIL
    assert detail | {"created_at": 0, "processed_at": 0} == {
        "id": public_id,
        "album_id": encode_id(Prefix.ALBUM, image.album_id),
        "status": "ready",
        "original_filename": "photo.jpg",
        "original_url": f"http://images.example/storage/uploads/{public_id}.jpg",
        "processed_url": f"http://images.example/storage/processed/{public_id}.jpg",
        "thumbnail_url": f"http://images.example/storage/thumbnails/{public_id}.webp",
        "width": 300,
        "height": 400,
        "format": "jpeg",
        "size_bytes": 1_000,
        "processing_duration_ms": 120,
        "created_at": 0,
        "processed_at": 0,
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
        "palette": ["#aabbcc", "#112233"],
        "phash": "f" * 64,
        "labels": None,
        "nsfw_score": None,
    }
    assert STAMP.match(detail["created_at"])
    assert STAMP.match(detail["processed_at"])


async def test_before_ready_what_is_derived_is_null(caller: Any, register: Make) -> None:
    detail = (await caller.get(path_of(await register()))).json
    assert list(detail) == DETAIL
    derived = ["processed_url", "thumbnail_url", "width", "height", "processing_duration_ms"]
    derived += ["processed_at", "blurhash", "thumbhash", "palette", "phash"]
    assert [detail[field] for field in derived] == [None] * len(derived)
    assert detail["original_url"].startswith("http")


async def test_a_failed_image_says_why(
    caller: Any, register: Make, sessions: SessionFactory
) -> None:
    image = await register()
    event = JobFailedV1(
        job_id=image.job_id,
        image_id=image.id,
        attempt=1,
        code=ProblemCode.IMAGE_CORRUPT,
        message="It is damaged.\0",
    )
    async with transaction(sessions) as session:
        await fail_job(session, event, now=datetime.now(UTC))
    detail = (await caller.get(path_of(image))).json
    assert detail["status"] == "failed"
    assert detail["error"] == {"code": "image_corrupt", "message": "It is damaged."}
    album = (await caller.get(f"/api/v1/albums/{detail['album_id']}/images")).json
    assert album["images"][0]["error"] == detail["error"]


async def test_any_spelling_of_the_id_names_the_image(caller: Any, register: Make) -> None:
    image = await register()
    paths = [path_of(image, prefix) for prefix in (Prefix.IMAGE_PICHR, Prefix.IMAGE_IMG)]
    for path in (*paths, f"/api/v1/images/{image.id}"):
        assert (await caller.get(path)).json["id"] == encode_id(Prefix.IMAGE_PARTR, image.id)


@pytest.mark.parametrize("visibility", Visibility)
async def test_az_01_foreign_other_stage_unknown_and_unreadable_are_one_answer(
    visibility: Visibility, caller_for: Callable[..., Any], develop: Make
) -> None:
    image = await develop(visibility=visibility)
    stranger = caller_for()
    other_stage = caller_for(image.owner.account_id, stage=Stage.TEST)
    album = encode_id(Prefix.ALBUM, image.album_id)
    replies = {
        "image": [
            await stranger.get(path_of(image)),
            await other_stage.get(path_of(image)),
            await stranger.get(f"/api/v1/images/{encode_id(Prefix.IMAGE_PARTR, new_id())}"),
            *[await stranger.get(f"/api/v1/images/{odd}") for odd in ("img_", "x", "%00", "é")],
            await stranger.get(f"/api/v1/images/{album}"),
        ],
        "album": [
            await stranger.get(f"/api/v1/albums/{album}/images"),
            await other_stage.get(f"/api/v1/albums/{album}/images?status=ready&page=9"),
            await stranger.get(f"/api/v1/albums/{encode_id(Prefix.ALBUM, new_id())}/images"),
            await stranger.get("/api/v1/albums/your-album-id/images"),
        ],
    }
    for answers in replies.values():
        assert {reply.status for reply in answers} == {404}
        bodies = {re.sub(rb"[0-9a-f-]{36}", b"", reply.body) for reply in answers}
        assert len(bodies) == 1
        heads = {
            tuple((name, value) for name, value in reply.headers.items() if name != "date")
            for reply in answers
        }
        assert len(heads) == 1


async def test_reading_needs_the_read_scope(caller_for: Callable[..., Any], register: Make) -> None:
    image = await register()
    account_id = image.owner.account_id
    uploader = caller_for(account_id, scopes=frozenset({Scope.UPLOAD}))
    session = caller_for(account_id, credential=CredentialKind.SESSION)
    nobody = caller_for(credential=CredentialKind.ANONYMOUS)
    statuses = [(await who.get(path_of(image))).status for who in (uploader, session, nobody)]
    assert statuses == [403, 200, 401]


async def test_head_answers_like_get_without_a_body(caller: Any, develop: Make) -> None:
    path = path_of(await develop())
    whole, head = await caller.get(path), await caller.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))
