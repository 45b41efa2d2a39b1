"""Turns between processes, kept by PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.platform.db.outages import outages_as_unavailable


class Chore(IntEnum):
    """What one process does at a time; the numbers are the locks, and nothing else takes them."""

    REMEDY = 1
    TIDY = 2


@asynccontextmanager
async def turn(engine: AsyncEngine, chore: Chore) -> AsyncIterator[bool]:
    """Tell whether it is this process's turn; it ends with the block, or with its connection."""
    with outages_as_unavailable():
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            is_ours = bool(await connection.scalar(select(func.pg_try_advisory_lock(chore))))
            try:
                yield is_ours
            finally:
                if is_ours:
                    await connection.scalar(select(func.pg_advisory_unlock(chore)))
