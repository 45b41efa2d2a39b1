"""The inbox: which events a consumer has already applied, kept with what they changed."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Column, Index, MetaData, Table, Text, Uuid, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.platform.db.tables import recorded_at


def inbox_table(metadata: MetaData) -> Table:
    """Add the inbox to a service's tables."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        recorded_at("seen_at"),
        Index("ix_inbox_seen_at", "seen_at"),
    )


_INBOX: Final = inbox_table(MetaData())


async def first_time(session: AsyncSession, consumer: str, event_id: UUID) -> bool:
    """Note an event in the session's transaction; False when the consumer has applied it before.

    A second delivery that arrives meanwhile waits for the first one's commit or rollback.
    """
    note = insert(_INBOX).values(consumer=consumer, event_id=event_id).on_conflict_do_nothing()
    noted = await session.scalar(note.returning(_INBOX.c.event_id))
    return noted is not None


async def prune(session: AsyncSession, older_than: timedelta) -> int:
    """Forget events seen longer ago than that, and return how many.

    The broker keeps events for seven days; forgetting later than that is safe.
    """
    forget = delete(_INBOX).where(_INBOX.c.seen_at < func.now() - older_than)
    forgotten = await session.execute(forget.returning(_INBOX.c.event_id))
    return len(forgotten.all())
