"""Show that a page of an album costs the same at any depth, on a million images in one album.

    python -m benchmarks.paging [--images 1000000] [--postgres DSN]

Without a DSN it starts a PostgreSQL of its own and removes it. It times the service's own query
for the first, a middle and the last page, with and without a status, beside `OFFSET` over the whole
album, and ends with 1 when the last page takes more than three times as long as the first.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, text

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.domain.paging import BUCKET_SIZE, PageRequest
from darkroom.catalog.operations.albums import create_album
from darkroom.catalog.store.pages import read_page
from darkroom.catalog.store.tables import images
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageStatus, Visibility
from darkroom.contracts.surfaces import Stage
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.migrate import upgrade
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.own import OwnPostgres

LIMIT = 20
ROUNDS = 40
# Noise of a busy machine; a page found by OFFSET is hundreds of times slower at the end.
WORST_RATIO = 3.0
# A hundred thousand rows take seconds, and show that something is going on.
FILL_SECONDS = 600
CHUNK = 100_000
FILL = """
    INSERT INTO images (
        id, account_id, stage, surface, upload_id, album_id, album_seq, status, job_id,
        attempt, preset, enqueued_at, deadline_at, version, url_version, visibility, tags,
        original_key, original_sha256, original_size_bytes, original_format,
        original_filename, original_width, original_height, original_frames, created_at
    )
    SELECT gen_random_uuid(), :account_id, 'live', 'partr', gen_random_uuid(), :album_id, n,
        CASE mod(n * 7919, 1000) WHEN 1 THEN 'failed' WHEN 2 THEN 'queued' ELSE 'ready' END,
        gen_random_uuid(), 1, 'optimize', now(), now(), 1, 1, 'unlisted', '{}',
        'originals/2024/01/' || n, repeat('a', 64), 2456789, 'jpeg', 'photo.jpg', 4000, 3000, 1,
        now()
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""
RENDITIONS = """
    INSERT INTO renditions (
        image_id, name, recipe_digest, key, format, width, height, size_bytes, sha256
    )
    SELECT id, name, repeat('d', 32), 'renditions/' || id || name, 'webp', 1, 1, 1, repeat('a', 64)
    FROM images, unnest(ARRAY['processed', 'thumbnail']) AS name
    WHERE album_seq BETWEEN :first AND :last AND status = 'ready'
"""
COUNTS = """
    INSERT INTO album_counts (album_id, bucket, status, images)
    SELECT album_id, album_seq / :bucket_size, status, count(*) FROM images
    WHERE album_seq BETWEEN :first AND :last GROUP BY 1, 2, 3
"""


@asynccontextmanager
async def open_postgres(dsn: str | None) -> AsyncIterator[str]:
    if dsn is not None:
        yield dsn
        return
    with tempfile.TemporaryDirectory() as folder:
        async with OwnPostgres(Path(folder)) as server:
            yield server.dsn()


async def fill(sessions: SessionFactory, album: Album, total: int) -> None:
    for first in range(0, total, CHUNK):
        bounds = {"first": first, "last": min(first + CHUNK, total) - 1}
        async with transaction(sessions) as session:
            owned = {"album_id": album.id, "account_id": album.owner.account_id}
            await session.execute(text(FILL), bounds | owned)
            await session.execute(text(RENDITIONS), bounds)
            await session.execute(text(COUNTS), bounds | {"bucket_size": BUCKET_SIZE})
        print(f"\r{bounds['last'] + 1:>9,} images", end="", flush=True)
    async with transaction(sessions) as session:
        await session.execute(text("ANALYZE"))
    print()


async def time_page(sessions: SessionFactory, album: Album, request: PageRequest) -> float:
    took = []
    for _ in range(ROUNDS):
        async with transaction(sessions) as session:
            began = time.perf_counter()
            page = await read_page(session, album, request)
            took.append(time.perf_counter() - began)
        if not page.images:
            message = f"page {request.page} is empty"
            raise RuntimeError(message)
    return statistics.median(took) * 1_000


async def time_offset(sessions: SessionFactory, album: Album, offset: int) -> float:
    query = select(images).where(images.c.album_id == album.id)
    query = query.order_by(images.c.album_seq.desc()).offset(offset).limit(LIMIT)
    async with transaction(sessions) as session:
        await session.execute(query)
        began = time.perf_counter()
        await session.execute(query)
        return (time.perf_counter() - began) * 1_000


async def measure(sessions: SessionFactory, album: Album) -> float:
    worst = 0.0
    print(f"{'status':<8}{'images':>10}{'first':>10}{'middle':>10}{'last':>10}   (ms, median)")
    for status in (None, ImageStatus.READY, ImageStatus.FAILED):
        async with transaction(sessions) as session:
            total = (await read_page(session, album, PageRequest(1, LIMIT, status))).total
        last = -(-total // LIMIT)
        took = [
            await time_page(sessions, album, PageRequest(page, LIMIT, status))
            for page in (1, max(last // 2, 1), last)
        ]
        worst = max(worst, took[2] / took[0], took[1] / took[0])
        print(f"{status or 'any':<8}{total:>10,}" + "".join(f"{each:>10.2f}" for each in took))
        if status is None:
            took = [await time_offset(sessions, album, at) for at in (0, total // 2, total - LIMIT)]
            print(f"{'OFFSET':<18}" + "".join(f"{each:>10.2f}" for each in took))
    return worst


async def run(total: int, dsn: str | None) -> int:
    async with open_postgres(dsn) as address:
        await asyncio.to_thread(upgrade, "darkroom.catalog.store.migrations", address)
        settings = PostgresSettings.model_validate(
            {"dsn": address, "statement_timeout_seconds": FILL_SECONDS}
        )
        async with open_engine(settings, name="benchmark") as engine:
            sessions = session_factory(engine)
            async with transaction(sessions) as session:
                album = await create_album(
                    session,
                    owner=Owner(new_id(), Stage.LIVE),
                    title="A million",
                    description=None,
                    visibility=Visibility.PRIVATE,
                    tags=(),
                    now=datetime.now(UTC),
                )
            await fill(sessions, album, total)
            worst = await measure(sessions, album)
    print(f"slowest page against the first: {worst:.2f} (at most {WORST_RATIO})")
    return 0 if worst <= WORST_RATIO else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--postgres", metavar="DSN")
    arguments = parser.parse_args()
    return asyncio.run(run(arguments.images, arguments.postgres))


if __name__ == "__main__":
    sys.exit(main())
