import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from sqlalchemy import update
from yarl import URL

from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.image import Image
from darkroom.catalog.operations.results import complete_job
from darkroom.catalog.settings import CatalogSettings
from darkroom.catalog.store.tables import images
from darkroom.contracts.claims import CredentialKind, Scope
from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.contracts.images import Visibility
from darkroom.contracts.surfaces import Stage
from darkroom.platform.auth.keyfiles import load_or_create_secret
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.storage.s3 import S3BlobStore

Make = Callable[..., Awaitable[Image]]
Callers = Callable[..., Any]
BYTES = bytes(range(256)) * 10
SHELVES = ["uploads", "processed", "thumbnails"]


@pytest.fixture
def stored(
    register: Make, completed: Callable[..., Any], sessions: SessionFactory, blobs: S3BlobStore
) -> Make:
    digest = hashlib.sha256(BYTES).hexdigest()

    async def make(**changes: Any) -> Image:
        image = await register(sha256=digest, size_bytes=len(BYTES), **changes)
        event = completed(image)
        made = tuple(
            rendition.model_copy(update={"size_bytes": len(BYTES), "sha256": digest})
            for rendition in event.renditions
        )
        for key in (image.original.key, *(rendition.key for rendition in made)):
            await blobs.put(key, BYTES, media_type="image/jpeg")
        async with transaction(sessions) as session:
            event = event.model_copy(update={"renditions": made})
            await complete_job(session, event, now=datetime.now(UTC))
        return image

    return make


def path_of(image: Image, shelf: str) -> str:
    extension = "webp" if shelf == "thumbnails" else "jpg"
    return f"/storage/{shelf}/{encode_id(Prefix.IMAGE_PARTR, image.id)}.{extension}"


@pytest.fixture
def anybody(caller_for: Callers) -> Any:
    return caller_for(credential=CredentialKind.ANONYMOUS)


@pytest.mark.parametrize("shelf", SHELVES)
async def test_pub_01_a_file_is_sent_whole_with_every_safety_header(
    shelf: str, stored: Make, anybody: Any
) -> None:
    reply = await anybody.get(path_of(await stored(), shelf), headers={"Accept": "text/html"})
    assert (reply.status, reply.body) == (200, BYTES)
    headers = reply.headers
    assert headers["content-type"] == ("image/webp" if shelf == "thumbnails" else "image/jpeg")
    assert headers["content-length"] == str(len(BYTES))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"] == f'"{hashlib.sha256(BYTES).hexdigest()}"'
    assert headers["cache-control"] == "public, max-age=60, must-revalidate"
    assert headers["last-modified"].endswith("GMT")
    assert "set-cookie" not in headers
    disposition = headers["content-disposition"]
    assert disposition.startswith("attachment; ") if shelf == "uploads" else disposition == "inline"


async def test_pub_03_an_original_is_saved_under_its_own_harmless_name(
    stored: Make, anybody: Any
) -> None:
    image = await stored(original_filename='../"x"\r\nSet-Cookie: a=b\u202e.html')
    reply = await anybody.get(path_of(image, "uploads"))
    assert reply.headers["content-disposition"] == (
        "attachment; filename=\"xSet-Cookie a=b.jpg\"; filename*=UTF-8''xSet-Cookie%20a%3Db.jpg"
    )
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=-10", 2550, 2559), ("bytes=100-", 100, 2559)],
)
async def test_pub_04_a_range_is_sent_alone(
    header: str, first: int, last: int, stored: Make, anybody: Any
) -> None:
    reply = await anybody.get(path_of(await stored(), "processed"), headers={"Range": header})
    assert (reply.status, reply.body) == (206, BYTES[first : last + 1])
    assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(BYTES)}"
    assert reply.headers["content-length"] == str(last - first + 1)


async def test_pub_04_many_ranges_and_nonsense_get_the_whole_file(
    stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "processed")
    for header in ("bytes=" + ",".join(["0-"] * 1_000), "bytes=9-1", "lines=1-2", "bytes=x"):
        reply = await anybody.get(path, headers={"Range": header})
        assert (reply.status, len(reply.body)) == (200, len(BYTES))


async def test_pub_04_a_range_beyond_the_file_is_refused_with_its_size(
    stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "processed")
    reply = await anybody.get(path, headers={"Range": "bytes=2560-"})
    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{len(BYTES)}"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.json["code"] == "range_not_satisfiable"


async def test_pub_08_a_copy_that_is_still_good_is_not_sent_again(
    stored: Make, anybody: Any, blobs: S3BlobStore
) -> None:
    image = await stored()
    path = path_of(image, "uploads")
    whole = await anybody.get(path)
    tag, date = whole.headers["etag"], whole.headers["last-modified"]
    stale = {"If-None-Match": '"other"', "If-Modified-Since": date}
    assert (await anybody.get(path, headers=stale)).status == 200
    ranged = {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert (await anybody.get(path, headers=ranged)).status == 200
    ranged["If-Range"] = tag
    assert (await anybody.get(path, headers=ranged)).status == 206
    # The row alone answers: the store is not asked.
    await blobs.delete(image.original.key)
    for fresh in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
        for method in ("GET", "HEAD"):
            reply = await anybody.call(method, path, headers=fresh)
            assert (reply.status, reply.body) == (304, b"")
            assert reply.headers["etag"] == tag
            assert "content-length" not in reply.headers


async def test_pub_12_head_tells_what_get_would_send(stored: Make, anybody: Any) -> None:
    path = path_of(await stored(), "uploads")
    whole, head = await anybody.get(path), await anybody.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    own = {"date", "x-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in whole.headers.items() if n not in own
    }


@pytest.mark.parametrize("shelf", SHELVES)
async def test_pub_06_az_01_what_one_may_not_have_looks_like_what_never_was(
    shelf: str, stored: Make, register: Make, anybody: Any, caller_for: Callers
) -> None:
    private = await stored(visibility=Visibility.PRIVATE)
    pending = await register()
    unknown = path_of(private, shelf).replace(
        encode_id(Prefix.IMAGE_PARTR, private.id), encode_id(Prefix.IMAGE_PARTR, new_id())
    )
    paths = [path_of(private, shelf), path_of(pending, shelf), unknown, f"/storage/{shelf}/x.jpg"]
    other_stage = caller_for(private.owner.account_id, stage=Stage.TEST)
    unreading = caller_for(private.owner.account_id, scopes=frozenset({Scope.UPLOAD}))
    for who in (anybody, caller_for(), other_stage, unreading):
        for method in ("GET", "HEAD"):
            replies = [await who.call(method, path) for path in paths]
            assert {reply.status for reply in replies} == {404}
            assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}
            lengths = {reply.headers["content-length"] for reply in replies}
            assert len(lengths) == 1


async def test_until_ready_the_original_is_its_owners_alone(
    register: Make, blobs: S3BlobStore, caller: Any, anybody: Any
) -> None:
    image = await register(size_bytes=len(BYTES))
    await blobs.put(image.original.key, BYTES, media_type="image/jpeg")
    path = path_of(image, "uploads")
    reply = await caller.get(path)
    assert (reply.status, reply.body) == (200, BYTES)
    assert reply.headers["cache-control"] == "private, no-store"
    assert (await anybody.get(path)).status == 404


async def test_a_private_image_opens_by_the_links_its_owner_is_given(
    stored: Make, caller: Any, anybody: Any
) -> None:
    image = await stored(visibility=Visibility.PRIVATE)
    detail = await caller.get(f"/api/v1/images/{encode_id(Prefix.IMAGE_PARTR, image.id)}")
    for field in ("original_url", "processed_url", "thumbnail_url"):
        link = URL(detail.json[field])
        assert "t" in link.query
        reply = await anybody.get(link.path_qs)
        assert (reply.status, reply.body) == (200, BYTES)
        assert reply.headers["cache-control"] == "private, no-store"
        assert (await anybody.get(link.path)).status == 404
        assert (await caller.get(link.path)).status == 200


async def test_pub_10_a_wrong_expired_or_withdrawn_link_is_refused_whatever_it_names(
    stored: Make,
    anybody: Any,
    settings: CatalogSettings,
    sessions: SessionFactory,
) -> None:
    private, unlisted = await stored(visibility=Visibility.PRIVATE), await stored()
    key = CapabilityKey(load_or_create_secret(settings.capability_key_file))
    path = path_of(private, "processed")
    now = datetime.now(UTC)
    good = key.sign(path, expires_at=now + timedelta(hours=1), url_version=1)
    expired = key.sign(path, expires_at=now - timedelta(seconds=1), url_version=1)
    unknown = f"/storage/processed/{encode_id(Prefix.IMAGE_PARTR, new_id())}.jpg"
    assert (await anybody.get(f"{path}?t={good}")).status == 200
    for token in ("", "x", expired, good[:-2], good[1:] + good[0], "A" * 38, "é" * 38):
        for target in (path, unknown, path_of(unlisted, "processed")):
            reply = await anybody.get(URL(target).with_query(t=token).raw_path_qs)
            assert (reply.status, reply.headers["cache-control"]) == (403, "no-store"), token
    assert (await anybody.get(f"{path_of(private, 'uploads')}?t={good}")).status == 403
    async with transaction(sessions) as session:
        await session.execute(update(images).where(images.c.id == private.id).values(url_version=2))
    assert (await anybody.get(f"{path}?t={good}")).status == 403


async def test_az_10_a_link_dies_at_the_origin_as_soon_as_the_image_is_private(
    stored: Make, anybody: Any, sessions: SessionFactory
) -> None:
    image = await stored()
    path = path_of(image, "processed")
    tag = (await anybody.get(path)).headers["etag"]
    async with transaction(sessions) as session:
        statement = update(images).where(images.c.id == image.id)
        await session.execute(statement.values(visibility=Visibility.PRIVATE))
    assert (await anybody.get(path)).status == 404
    assert (await anybody.get(path, headers={"If-None-Match": tag})).status == 404


async def test_pub_11_strange_paths_are_missing(stored: Make, anybody: Any) -> None:
    image = await stored()
    good = path_of(image, "processed")
    for path in (
        good.removesuffix("jpg") + "png",
        good + "/",
        good + ".html",
        "/storage/processed/..%2f..%2fsecret",
        "/storage/processed/%00",
        "/storage/processed/" + "x" * 2_000,
        "/storage/renditions/x.jpg",
        "/storage/",
    ):
        assert (await anybody.get(URL(path, encoded=True).raw_path)).status == 404, path


async def test_a_file_that_the_store_has_lost_is_a_503_and_never_a_stub(
    stored: Make, anybody: Any, blobs: S3BlobStore
) -> None:
    lost, cut = await stored(), await stored()
    await blobs.delete(lost.original.key)
    await blobs.put(cut.original.key, BYTES[:100], media_type="image/jpeg")
    for image in (lost, cut):
        path = path_of(image, "uploads")
        for headers in ({}, {"Range": "bytes=2000-"}):
            reply = await anybody.get(path, headers=headers)
            assert (reply.status, reply.json["code"]) == (503, "unavailable")
            assert reply.headers["retry-after"]
        assert (await anybody.call("HEAD", path)).status == 503


async def test_a_file_needs_a_passport_as_everything_does(stored: Make, anybody: Any) -> None:
    path = path_of(await stored(), "processed")
    anybody.passport.clear()
    assert (await anybody.get(path)).status == 401


async def test_a_large_file_streams_and_a_client_that_leaves_costs_nothing_more(
    register: Make,
    blobs: S3BlobStore,
    caller: Any,
    http: aiohttp.ClientSession,
) -> None:
    size = 30_000_000
    image = await register(size_bytes=size)
    await blobs.put(image.original.key, bytes(size), media_type="image/jpeg")
    url = f"{caller.base_url}{path_of(image, 'uploads')}"
    began = time.monotonic()
    replies = [await http.get(url, headers=caller.passport) for _ in range(20)]
    for reply in replies:
        await reply.content.readexactly(1_000)
        reply.close()
    assert time.monotonic() - began < 20
    async with http.get(url, headers=caller.passport) as reply:
        received = 0
        async for chunk in reply.content.iter_any():
            received += len(chunk)
    assert received == size
