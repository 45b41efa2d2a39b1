"""What the outbox still holds, and what the sweeps have seen of it."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.overdue import OutboxWatch
from darkroom.catalog.store.tables import outbox, sweep_state


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


async def find_watch(session: AsyncSession) -> OutboxWatch | None:
    """Return what the looks before this one have shown; None before the first."""
    row = (await session.execute(select(sweep_state))).one_or_none()
    return None if row is None else OutboxWatch(row.outbox_looked_at, row.outbox_late_until)


async def save_watch(session: AsyncSession, watch: OutboxWatch) -> None:
    """Keep what a look has shown; of two looks side by side the later times stand."""
    kept, fresh = sweep_state.c, insert(sweep_state).excluded
    statement = insert(sweep_state).values(
        is_only_row=True, outbox_looked_at=watch.looked_at, outbox_late_until=watch.late_until
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[kept.is_only_row],
            set_={
                "outbox_looked_at": func.greatest(kept.outbox_looked_at, fresh.outbox_looked_at),
                "outbox_late_until": func.greatest(kept.outbox_late_until, fresh.outbox_late_until),
            },
        )
    )
