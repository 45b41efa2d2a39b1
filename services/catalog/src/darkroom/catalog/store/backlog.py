"""What the outbox still holds."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.store.tables import outbox


async def find_oldest_unsent(session: AsyncSession, *, subject: str) -> datetime | None:
    """Return when the oldest event not yet published was recorded; refused ones never will be."""
    query = (
        select(outbox.c.recorded_at)
        .where(outbox.c.subject == subject, outbox.c.refused.is_(None))
        .order_by(outbox.c.position)
        .limit(1)
    )
    oldest: datetime | None = await session.scalar(query)
    return oldest
