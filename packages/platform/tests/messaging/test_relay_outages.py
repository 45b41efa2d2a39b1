import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.messaging.consumer import Subscription
from darkroom.platform.messaging.outbox import record
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.own import OwnNats, OwnPostgres

Fact = Callable[[], KeyRevokedV1]
Waiting = Callable[[], Awaitable[int]]


@pytest.mark.resilience
@pytest.mark.parametrize("fate", ["killed", "wiped"])
async def test_nothing_is_lost_when_the_broker_dies_in_mid_run(
    fate: str,
    sessions: SessionFactory,
    engine: AsyncEngine,
    nats_server: OwnNats,
    relaying: Any,
    working: Any,
    waiting: Waiting,
    eventually: Any,
    fact: Fact,
) -> None:
    handled: set[UUID] = set()
    events = [fact() for _ in range(300)]

    async def handle(event: KeyRevokedV1, _delivery: object) -> None:
        handled.add(event.event_id)

    async def write() -> None:
        for event in events:
            async with transaction(sessions) as session:
                await record(session, event)
            await asyncio.sleep(0.003)

    async with relaying(engine), working(Subscription(KeyRevokedV1, handle, "tests")):
        writing = asyncio.create_task(write())
        await asyncio.sleep(0.3)
        after = (lambda: shutil.rmtree(nats_server.directory)) if fate == "wiped" else None
        await nats_server.restart(after=after)
        await writing

        async def is_empty() -> bool:
            return await waiting() == 0

        await eventually(is_empty)
        # What the broker had acknowledged may go with its disk; what it had not is still ours.
        expected = {event.event_id for event in (events[-50:] if fate == "wiped" else events)}
        await eventually(lambda: expected <= handled)
    assert await waiting() == 0


@pytest.mark.resilience
async def test_nothing_is_lost_when_the_database_dies_in_mid_run(
    postgres_server: OwnPostgres,
    tables: MetaData,
    relaying: Any,
    published: Callable[[], Awaitable[list[UUID]]],
    fact: Fact,
    eventually: Any,
) -> None:
    settings = PostgresSettings(dsn=SecretStr(postgres_server.dsn()))
    async with open_engine(settings, name="tests") as engine:
        async with engine.begin() as connection:
            await connection.run_sync(tables.create_all)
        sessions = session_factory(engine)
        events = [fact() for _ in range(40)]
        async with relaying(engine):
            for event in events[:20]:
                async with transaction(sessions) as session:
                    await record(session, event)
            await postgres_server.restart()
            for event in events[20:]:
                async with transaction(sessions) as session:
                    await record(session, event)

            async def are_published() -> bool:
                return set(await published()) == {event.event_id for event in events}

            await eventually(are_published)
        assert len(await published()) == 40
