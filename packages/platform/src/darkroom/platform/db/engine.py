"""Open the engine of a process; it outlives any restart of the server.

Needs: PostgreSQL 15 or later and a role that owns its database. Every connection carries its own
statement and lock time-outs, so that a stuck statement ends on the server as well.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from darkroom.platform.db.outages import (
    CONNECT_FAILURES,
    raise_unavailable_on_outage,
    unavailable,
)
from darkroom.platform.settings import PostgresSettings

# Half an hour: long enough to cost nothing, short enough that server-side caches do not grow.
_RECYCLE_SECONDS: Final = 1_800
# The server's own time-out should answer first; past this second its host is taken for dead.
_REPLY_GRACE_SECONDS: Final = 1.0
# A relay keeps its rows locked while the broker answers, five seconds at most; more is a leak.
_IDLE_IN_TRANSACTION_SECONDS: Final = 30


@asynccontextmanager
async def open_engine(settings: PostgresSettings, *, name: str) -> AsyncIterator[AsyncEngine]:
    """Open an engine whose connections show up under `name`; nothing connects before first use.

    Whatever says that the server is away, starting, full or too slow is raised as Unavailable.
    """
    engine = create_async_engine(
        settings.dsn.get_secret_value(),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.acquire_timeout_seconds,
        pool_recycle=_RECYCLE_SECONDS,
        pool_use_lifo=True,
        connect_args=_connect_arguments(settings, name),
    )
    raise_unavailable_on_outage(engine)
    event.listen(engine.sync_engine.pool, "checkout", _refuse_closed_connection)
    try:
        yield engine
    finally:
        await engine.dispose()


def _connect_arguments(settings: PostgresSettings, name: str) -> dict[str, Any]:
    return {
        "async_creator_fn": _connect,
        "timeout": settings.connect_timeout_seconds,
        "command_timeout": settings.statement_timeout_seconds + _REPLY_GRACE_SECONDS,
        "server_settings": {
            "application_name": f"darkroom-{name}",
            "statement_timeout": _milliseconds(settings.statement_timeout_seconds),
            "lock_timeout": _milliseconds(settings.lock_timeout_seconds),
            "idle_in_transaction_session_timeout": _milliseconds(_IDLE_IN_TRANSACTION_SECONDS),
            "timezone": "UTC",
            # Every query of ours is short: compiling one costs more than running it.
            "jit": "off",
        },
    }


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1_000))


async def _connect(*arguments: Any, **options: Any) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(*arguments, **options)
    except CONNECT_FAILURES as error:
        raise unavailable(error) from error


def _refuse_closed_connection(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    # The loop has already seen the socket close, so asking costs nothing. The pool then opens
    # another one: after a restart of the server no request fails for a stale connection.
    if connection.driver_connection.is_closed():
        raise DisconnectionError
