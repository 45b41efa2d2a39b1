import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.domain.paging import BUCKET_SIZE, PageRequest
from darkroom.catalog.operations.albums import create_album
from darkroom.catalog.store.images import Images
from darkroom.catalog.store.pages import page_query, read_page
from darkroom.catalog.store.tables import albums
from darkroom.contracts.images import ImageStatus, Visibility
from darkroom.platform.db.session import SessionFactory, transaction

NewAlbum = Callable[[], Awaitable[Album]]
STATUSES = (None, *ImageStatus)
# Enough for eight buckets; the cost must not depend on it.
MANY = 8_000

FILL = """
    WITH numbers AS (
        SELECT n, (ARRAY['queued', 'processing', 'ready', 'ready', 'ready', 'failed'])[
            1 + mod(n * 7919, 6)] AS status
        FROM generate_series(0, :many - 1) AS n
    ), filled AS (
        INSERT INTO images (
            id, account_id, stage, surface, upload_id, album_id, album_seq, status, job_id,
            attempt, preset, enqueued_at, deadline_at, version, url_version, visibility, tags,
            original_key, original_sha256, original_size_bytes, original_format,
            original_width, original_height, original_frames, created_at
        )
        SELECT gen_random_uuid(), :account_id, 'live', 'partr', gen_random_uuid(), :album_id, n,
            status, gen_random_uuid(), 1, 'optimize', now(), now(), 1, 1, 'unlisted', '{}',
            'originals/' || n, '', 1, 'jpeg', 1, 1, 1, now()
        FROM numbers
    )
    INSERT INTO album_counts (album_id, bucket, status, images)
    SELECT :album_id, n / :bucket_size, status, count(*) FROM numbers GROUP BY 2, 3
"""

step = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 4)),
    st.tuples(st.just("skip"), st.integers(1, 2 * BUCKET_SIZE)),
    st.tuples(st.sampled_from([*ImageStatus]), st.integers(0, 50)),
)


@pytest.fixture
def made_album(sessions: SessionFactory, owner: Owner) -> NewAlbum:
    async def make() -> Album:
        async with transaction(sessions) as session:
            return await create_album(
                session,
                owner=owner,
                title="Pages",
                description=None,
                visibility=Visibility.PRIVATE,
                tags=(),
                now=datetime.now(UTC),
            )

    return make


async def take(
    album: Album,
    steps: Sequence[tuple[str, int]],
    sessions: SessionFactory,
    make_image: Callable[..., Image],
) -> list[Image]:
    naive: list[Image] = []
    for command, number in steps:
        async with transaction(sessions) as session:
            store = Images(session)
            if command == "add":
                for _ in range(number):
                    added = await store.add(make_image(album_id=album.id))
                    assert added is not None
                    naive.append(added)
            elif command == "skip":
                place = update(albums).where(albums.c.id == album.id)
                await session.execute(place.values(next_seq=albums.c.next_seq + number))
            elif naive:
                place_in_list = number % len(naive)
                before = naive[place_in_list]
                after = replace(before, status=ImageStatus(command))
                await store.save(before, after)
                naive[place_in_list] = after
    return naive


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(step, max_size=25), limit=st.integers(1, 7))
async def test_all_pages_together_are_the_plain_list_newest_first(
    steps: list[tuple[str, int]],
    limit: int,
    sessions: SessionFactory,
    made_album: NewAlbum,
    make_image: Callable[..., Image],
) -> None:
    album = await made_album()
    naive = await take(album, steps, sessions, make_image)
    for status in STATUSES:
        wanted = [image.id for image in reversed(naive) if status in (None, image.status)]
        found: list[UUID] = []
        for number in range(1, len(wanted) // limit + 3):
            async with transaction(sessions) as session:
                page = await read_page(session, album, PageRequest(number, limit, status))
            assert page.total == len(wanted)
            assert page.total_pages == -(-len(wanted) // limit)
            assert len(page.images) == max(0, min(limit, len(wanted) - (number - 1) * limit))
            found += [image.id for image in page.images]
        assert found == wanted


@pytest.fixture
def rows_read(engine: AsyncEngine, sessions: SessionFactory) -> Callable[..., Awaitable[int]]:

    async def explain(album: Album, request: PageRequest, mode: str) -> int:
        query, values = page_query(album, request)
        compiled = query.compile(dialect=engine.dialect)
        filled = compiled.params | values
        arguments = ", ".join(f"'{filled[name]}'" for name in compiled.positiontup or ())
        async with sessions() as session:
            raw = await (await session.connection()).get_raw_connection()
            connection: Any = raw.driver_connection
            await connection.execute(f"SET plan_cache_mode = {mode}")
            await connection.execute(f"PREPARE page AS {compiled}")
            plan = await connection.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({arguments})"
            )
            await connection.execute("DEALLOCATE page")
        return touched(plan[0]["Plan"])

    return explain


def touched(node: dict[str, Any]) -> int:
    own = 0
    if node.get("Relation Name") == "images":
        per_loop = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        own = round(per_loop * node["Actual Loops"])
    return own + sum(touched(child) for child in node.get("Plans", ()))


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_reads_less_than_one_bucket_and_itself_at_any_depth(
    mode: str,
    sessions: SessionFactory,
    made_album: NewAlbum,
    rows_read: Callable[..., Awaitable[int]],
) -> None:
    album = await made_album()
    values = {"album_id": album.id, "account_id": album.owner.account_id}
    async with transaction(sessions) as session:
        await session.execute(text(FILL), {**values, "many": MANY, "bucket_size": BUCKET_SIZE})
    async with transaction(sessions) as session:
        await session.execute(text("ANALYZE images"))
    limit = 100
    for status in STATUSES:
        async with transaction(sessions) as session:
            total = (await read_page(session, album, PageRequest(1, 1, status))).total
        last = total // limit
        for number in (1, 2, last // 2, last):
            read = await rows_read(album, PageRequest(number, limit, status), mode)
            assert limit <= read <= BUCKET_SIZE + limit, (status, number)
        assert await rows_read(album, PageRequest(10**9, limit, status), mode) == 0


async def test_a_page_and_its_total_agree_while_images_are_added(
    sessions: SessionFactory, made_album: NewAlbum, make_image: Callable[..., Image]
) -> None:
    album = await made_album()

    async def add() -> None:
        for _ in range(30):
            async with transaction(sessions) as session:
                await Images(session).add(make_image(album_id=album.id))
            await asyncio.sleep(random.random() / 1_000)

    async def read() -> None:
        for _ in range(30):
            async with transaction(sessions) as session:
                page = await read_page(session, album, PageRequest(1, 100))
            assert page.total == len(page.images)

    await asyncio.gather(add(), add(), read(), read())
