from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from darkroom.catalog.domain.image import Image
from darkroom.catalog.operations.tidy import (
    GRACE,
    INBOX_LIFETIME,
    STAGING_LIFETIME,
    prune_inbox,
    reconcile,
    remove_abandoned,
)
from darkroom.catalog.store.tables import inbox
from darkroom.contracts.ids import new_id
from darkroom.contracts.jobs import JobCompletedV1
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.storage.s3 import S3BlobStore

Make = Callable[..., Awaitable[Image]]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def put(blobs: S3BlobStore) -> Callable[..., Awaitable[None]]:
    async def store(*keys: str) -> None:
        for key in keys:
            await blobs.put(key, b"bytes", media_type="image/jpeg")

    return store


async def listed(blobs: S3BlobStore) -> list[str]:
    return [entry.key async for entry in blobs.list("")]


async def test_only_staging_objects_that_no_upload_can_be_using_are_deleted(
    blobs: S3BlobStore, put: Callable[..., Awaitable[None]]
) -> None:
    await put("staging/a", "staging/b", "originals/2024/01/x", "renditions/y/z.webp")
    now = datetime.now(UTC)
    assert await remove_abandoned(blobs, now=now + STAGING_LIFETIME - MINUTE) == 0
    assert await remove_abandoned(blobs, now=now + STAGING_LIFETIME + MINUTE) == 2
    assert await listed(blobs) == ["originals/2024/01/x", "renditions/y/z.webp"]


async def test_the_inbox_forgets_what_the_broker_has_forgotten(sessions: SessionFactory) -> None:
    now = datetime.now(UTC)
    ages = [timedelta(0), INBOX_LIFETIME - MINUTE, INBOX_LIFETIME + MINUTE]
    async with transaction(sessions) as session:
        rows = [{"consumer": "catalog", "event_id": new_id(), "seen_at": now - age} for age in ages]
        await session.execute(insert(inbox), rows)
    assert await prune_inbox(sessions) == 1
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(inbox)) == 2


async def test_stores_that_agree_give_an_empty_report(
    sessions: SessionFactory,
    blobs: S3BlobStore,
    put: Callable[..., Awaitable[None]],
    develop: Make,
    completed: Callable[..., JobCompletedV1],
) -> None:
    image = await develop()
    await put(image.original.key)
    await put(*(made.key for made in completed(image).renditions))
    report = await reconcile(sessions, blobs, now=datetime.now(UTC) + GRACE + MINUTE)
    assert (report.objects, report.rows) == (3, 3)
    assert (report.orphans.count, report.missing.count) == (0, 0)


async def test_k_28_what_does_not_agree_is_reported_and_never_deleted(
    sessions: SessionFactory,
    blobs: S3BlobStore,
    put: Callable[..., Awaitable[None]],
    register: Make,
) -> None:
    kept, lost = await register(), await register()
    await put(kept.original.key, "originals/2024/01/nobody", "renditions/nobody/x.webp")
    before = await listed(blobs)
    report = await reconcile(sessions, blobs, now=datetime.now(UTC) + GRACE + MINUTE)
    assert report.orphans.samples == ["originals/2024/01/nobody", "renditions/nobody/x.webp"]
    assert report.missing.samples == [lost.original.key]
    assert await listed(blobs) == before


async def test_what_is_younger_than_the_grace_is_no_finding(
    sessions: SessionFactory,
    blobs: S3BlobStore,
    put: Callable[..., Awaitable[None]],
    register: Make,
) -> None:
    await register()
    await put("originals/2024/01/nobody")
    report = await reconcile(sessions, blobs, now=datetime.now(UTC) + GRACE - MINUTE)
    assert (report.orphans.count, report.missing.count) == (0, 0)
