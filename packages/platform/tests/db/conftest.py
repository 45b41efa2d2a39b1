import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import Column, Integer, Table, Text, UniqueConstraint
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory
from darkroom.platform.db.tables import metadata
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.fixtures.stores import DatabaseFactory

TABLES = metadata()
NOTES = Table(
    "notes",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    # Checked only at COMMIT, so that a commit can be made to fail.
    UniqueConstraint("text", deferrable=True, initially="DEFERRED"),
)


@pytest.fixture
def notes() -> Table:
    return NOTES


@pytest_asyncio.fixture
async def postgres(database: DatabaseFactory) -> PostgresSettings:
    return PostgresSettings(
        dsn=SecretStr(await database(None)),
        pool_size=2,
        acquire_timeout_seconds=0.3,
        statement_timeout_seconds=0.3,
        lock_timeout_seconds=0.2,
    )


@pytest_asyncio.fixture
async def engine(postgres: PostgresSettings) -> AsyncIterator[AsyncEngine]:
    async with open_engine(postgres, name="tests") as opened:
        async with opened.begin() as connection:
            await connection.run_sync(TABLES.create_all)
        yield opened


@pytest.fixture
def sessions(engine: AsyncEngine) -> SessionFactory:
    return session_factory(engine)


@pytest.fixture
def freeze() -> Iterator[Callable[[int], None]]:
    frozen: list[int] = []

    def stop(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        frozen.append(pid)

    yield stop
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
