import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.reconcile import LatestReport
from darkroom.catalog.operations.sweep import Sweeper
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
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.settings import NatsSettings, PostgresSettings
from darkroom.platform.storage.blobs import Listed
from darkroom.platform.storage.memory import MemoryBlobStore
from darkroom.platform.storage.s3 import S3BlobStore

Make = Callable[..., Awaitable[Image]]
MINUTE = timedelta(minutes=1)
END_CONNECTIONS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
)


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


class AgedStore(MemoryBlobStore):
    """Objects that all look two days old."""

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        async for listed in super().list(prefix):
            yield replace(listed, modified_at=listed.modified_at - timedelta(days=2))


class StandstillStore(AgedStore):
    """The same objects, seen by a process that stands still after its third deletion."""

    def __init__(self, other: AgedStore) -> None:
        super().__init__()
        self._objects = other._objects
        self.stands_still, self.goes_on = asyncio.Event(), asyncio.Event()
        self._deletions = 0

    async def delete(self, key: str) -> None:
        await super().delete(key)
        self._deletions += 1
        if self._deletions == 3:
            self.stands_still.set()
            await self.goes_on.wait()


def has_tidied(sweeper: Sweeper) -> bool:
    return sweeper.latest.report is not None


async def test_k_28_a_sweeper_killed_in_mid_tidy_is_taken_over_and_nothing_kept_is_lost(
    postgres: PostgresSettings,
    engine: AsyncEngine,
    sessions: SessionFactory,
    develop: Make,
    completed: Callable[..., JobCompletedV1],
) -> None:
    image = await develop(now=datetime.now(UTC) - timedelta(days=2))
    kept = sorted([image.original.key, *(made.key for made in completed(image).renditions)])
    store = AgedStore()
    for key in [*kept, *(f"staging/{number}" for number in range(9))]:
        await store.put(key, b"bytes", media_type="image/jpeg")
    standstill, stop, bus = (
        StandstillStore(store),
        asyncio.Event(),
        JetStream(NatsSettings(), name=""),
    )
    survivor = Sweeper(engine, sessions, bus, store, LatestReport(), {})
    async with open_engine(postgres, name="killed") as its_engine, asyncio.TaskGroup() as running:
        killed = Sweeper(its_engine, sessions, bus, standstill, LatestReport(), {})
        running.create_task(killed.tidy_forever(stop, every_seconds=0.05))
        await standstill.stands_still.wait()
        running.create_task(survivor.tidy_forever(stop, every_seconds=0.05))
        await asyncio.sleep(0.3)
        assert not has_tidied(survivor)
        async with engine.connect() as connection:
            await connection.execute(END_CONNECTIONS, {"name": "darkroom-killed"})
        while not has_tidied(survivor):
            await asyncio.sleep(0.01)
        assert [entry.key async for entry in store.list("")] == kept
        # Even a process that only stood still, and finds its turn over, may go on.
        standstill.goes_on.set()
        while not has_tidied(killed):
            await asyncio.sleep(0.01)
        stop.set()
    assert [entry.key async for entry in store.list("")] == kept
    report = survivor.latest.report
    assert report is not None
    assert (report.orphans.count, report.missing.count) == (0, 0)
