"""Which stored objects the database knows, asked in batches."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.store.tables import images, renditions


async def find_known_keys(session: AsyncSession, keys: Sequence[str]) -> set[str]:
    """Return those of the keys that a row points to."""
    query = union_all(
        select(images.c.original_key.label("key")).where(images.c.original_key.in_(keys)),
        select(renditions.c.key).where(renditions.c.key.in_(keys)),
    )
    return set(await session.scalars(query))


async def list_keys(
    session: AsyncSession, *, after: UUID, made_before: datetime, limit: int
) -> Sequence[tuple[UUID, str]]:
    """List images by id with each key they point to; renditions exist for ready images only."""
    batch = (
        select(images.c.id, images.c.original_key)
        .where(images.c.id > after, images.c.created_at < made_before)
        .order_by(images.c.id)
        .limit(limit)
        .cte("batch")
    )
    query = union_all(
        select(batch.c.id, batch.c.original_key.label("key")),
        select(batch.c.id, renditions.c.key).join(renditions, renditions.c.image_id == batch.c.id),
    )
    return [(row.id, row.key) for row in await session.execute(query)]
