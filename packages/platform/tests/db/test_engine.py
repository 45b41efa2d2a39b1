import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.outages import is_outage
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.errors import Unavailable
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.own import OwnPostgres


async def test_connections_carry_their_time_outs_and_name(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        shown = {
            name: await connection.scalar(text(f"SHOW {name}"))
            for name in ("statement_timeout", "lock_timeout", "application_name", "timezone")
        }
    assert shown == {
        "statement_timeout": "300ms",
        "lock_timeout": "200ms",
        "application_name": "darkroom-tests",
        "timezone": "UTC",
    }


async def test_slow_statement_is_unavailable_and_the_engine_goes_on(engine: AsyncEngine) -> None:
    with pytest.raises(Unavailable):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(2)"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1


async def test_lock_not_had_in_time_is_unavailable(sessions: SessionFactory, notes: Table) -> None:
    async with transaction(sessions) as holder:
        await holder.execute(insert(notes).values(id=1, text="a"))
        with pytest.raises(Unavailable):
            async with transaction(sessions) as other:
                await other.execute(insert(notes).values(id=1, text="b"))


async def test_exhausted_pool_is_unavailable_soon(sessions: SessionFactory) -> None:
    async with transaction(sessions) as first, transaction(sessions) as second:
        await first.execute(text("SELECT 1"))
        await second.execute(text("SELECT 1"))
        with pytest.raises(Unavailable):
            async with transaction(sessions) as third:
                await third.execute(text("SELECT 1"))


async def test_wrong_statement_is_not_an_outage(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT nothing_of_that_name"))
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await connection.execute(text("SELECT CAST(:number AS int)"), {"number": "word"})


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.QueryCanceledError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.DiskFullError(),
        asyncpg.ReadOnlySQLTransactionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_passing_trouble_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError(),
        asyncpg.UndefinedColumnError(),
        asyncpg.DataError("not a number"),
        asyncpg.CharacterNotInRepertoireError(),
        ValueError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_wrong_use_is_no_outage(error: Exception) -> None:
    assert not is_outage(error)


async def test_absent_server_is_unavailable(postgres_server: OwnPostgres) -> None:
    await postgres_server.stop()
    async with open_engine(postgres_server.settings, name="tests") as engine:
        with pytest.raises(Unavailable):
            async with transaction(session_factory(engine)) as session:
                await session.execute(text("SELECT 1"))


async def test_frozen_server_is_unavailable_within_the_statement_time_out(
    postgres_server: OwnPostgres, freeze: Callable[[int], None]
) -> None:
    settings = PostgresSettings(
        dsn=postgres_server.settings.dsn,
        statement_timeout_seconds=0.2,
        connect_timeout_seconds=0.5,
    )
    async with open_engine(settings, name="tests") as engine:
        async with engine.connect() as connection:
            pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        freeze(pid)
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            async with transaction(session_factory(engine)) as session:
                await session.execute(text("SELECT 1"))
        assert asyncio.get_running_loop().time() - started < 5
        async with transaction(session_factory(engine)) as session:
            assert await session.scalar(select(1)) == 1


async def test_idle_connections_survive_a_killed_and_restarted_server(
    postgres_server: OwnPostgres,
) -> None:
    async with open_engine(postgres_server.settings, name="tests") as engine:
        sessions = session_factory(engine)
        async with transaction(sessions) as first, transaction(sessions) as second:
            await first.execute(text("SELECT 1"))
            await second.execute(text("SELECT 1"))
        await postgres_server.restart()
        for _ in range(3):
            async with transaction(sessions) as session:
                assert await session.scalar(text("SELECT 1")) == 1


async def test_server_killed_in_mid_transaction_is_unavailable_and_the_engine_recovers(
    postgres_server: OwnPostgres,
) -> None:
    async with open_engine(postgres_server.settings, name="tests") as engine:
        sessions = session_factory(engine)

        async def interrupted() -> None:
            async with transaction(sessions) as session:
                await session.execute(text("SELECT 1"))
                await postgres_server.kill()
                await session.execute(text("SELECT 1"))

        with pytest.raises(Unavailable):
            await interrupted()
        await postgres_server.start()
        async with transaction(sessions) as session:
            assert await session.scalar(text("SELECT 1")) == 1
