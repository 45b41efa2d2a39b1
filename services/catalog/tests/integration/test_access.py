from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from yarl import URL

from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.image import Image
from darkroom.catalog.settings import CatalogSettings
from darkroom.catalog.store.tables import images
from darkroom.contracts.claims import Scope
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


PathOf = Callable[[Image, str], str]


@pytest.mark.parametrize("shelf", SHELVES)
async def test_pub_06_az_01_what_one_may_not_have_looks_like_what_never_was(
    path_of: PathOf, shelf: str, stored: Make, register: Make, anybody: Any, caller_for: Callers
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
    path_of: PathOf, register: Make, blobs: S3BlobStore, caller: Any, anybody: Any
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
    path_of: PathOf,
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
    path_of: PathOf, stored: Make, anybody: Any, sessions: SessionFactory
) -> None:
    image = await stored()
    path = path_of(image, "processed")
    tag = (await anybody.get(path)).headers["etag"]
    async with transaction(sessions) as session:
        statement = update(images).where(images.c.id == image.id)
        await session.execute(statement.values(visibility=Visibility.PRIVATE))
    assert (await anybody.get(path)).status == 404
    assert (await anybody.get(path, headers={"If-None-Match": tag})).status == 404


async def test_pub_11_strange_paths_are_missing(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
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


async def test_a_file_needs_a_passport_as_everything_does(
    path_of: PathOf, stored: Make, anybody: Any
) -> None:
    path = path_of(await stored(), "processed")
    anybody.passport.clear()
    assert (await anybody.get(path)).status == 401
