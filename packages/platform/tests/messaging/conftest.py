import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import MetaData, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageFormat
from darkroom.contracts.jobs import JobKind, JobRequestedV1, Lane
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory
from darkroom.platform.db.tables import metadata
from darkroom.platform.messaging import handling
from darkroom.platform.messaging.consumer import Subscription, Worker
from darkroom.platform.messaging.inbox import inbox_table
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.platform.messaging.outbox import Relay, outbox_table
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.fixtures.stores import DatabaseFactory
from darkroom.testing.own import OwnNats

Running = Callable[..., Any]
Eventually = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def fact() -> Callable[[], KeyRevokedV1]:
    return lambda: KeyRevokedV1(account_id=uuid4(), key_id=uuid4())


@pytest.fixture
def job() -> Callable[[], JobRequestedV1]:
    return lambda: JobRequestedV1(
        job_id=new_id(),
        kind=JobKind.DEVELOP,
        lane=Lane.BULK,
        attempt=1,
        image_id=new_id(),
        account_id=new_id(),
        source_key="originals/2026/01/sample",
        source_format=ImageFormat.PNG,
        source_sha256="0" * 64,
        renditions=(),
        occurred_at=datetime.now(UTC),
    )


@pytest_asyncio.fixture
async def bus(nats_server: OwnNats) -> AsyncIterator[JetStream]:
    async with open_jetstream(nats_server.settings, name="tests") as opened:
        await opened.wait_connected()
        yield opened


@pytest.fixture
def tables() -> MetaData:
    collection = metadata()
    outbox_table(collection)
    inbox_table(collection)
    return collection


@pytest_asyncio.fixture
async def engine(database: DatabaseFactory, tables: MetaData) -> AsyncIterator[AsyncEngine]:
    settings = PostgresSettings(dsn=SecretStr(await database(None)))
    async with open_engine(settings, name="tests") as opened:
        async with opened.begin() as connection:
            await connection.run_sync(tables.create_all)
        yield opened


@pytest.fixture
def sessions(engine: AsyncEngine) -> SessionFactory:
    return session_factory(engine)


@pytest.fixture
def waiting(engine: AsyncEngine, tables: MetaData) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        async with engine.connect() as connection:
            rows = select(func.count()).select_from(tables.tables["outbox"])
            return await connection.scalar(rows) or 0

    return count


@pytest.fixture
def working(bus: JetStream) -> Running:
    @asynccontextmanager
    async def run(*subscriptions: Subscription[Any], **options: Any) -> AsyncIterator[None]:
        stop = asyncio.Event()
        worker = Worker(bus, subscriptions, **options)
        task = asyncio.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    return run


@pytest.fixture
def eventually() -> Eventually:
    async def wait(holds: Callable[[], bool | Awaitable[bool]]) -> None:
        async with asyncio.timeout(15):
            while True:
                answer = holds()
                if answer if isinstance(answer, bool) else await answer:
                    return
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def freeze() -> Iterator[Callable[[OwnNats], None]]:
    frozen: list[int] = []

    def stop(server: OwnNats) -> None:
        assert server._child is not None
        os.kill(server._child.pid, signal.SIGSTOP)
        frozen.append(server._child.pid)

    yield stop
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "_FIRST_DELAY_SECONDS", 0.02)


@pytest.fixture
def relaying(bus: JetStream) -> Any:
    @asynccontextmanager
    async def run(engine: AsyncEngine) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(Relay(engine, bus).run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    return run


@pytest.fixture
def published(bus: JetStream) -> Callable[[], Awaitable[list[UUID]]]:
    async def read() -> list[UUID]:
        js = bus.connection.js
        last = (await js.stream_info("EVENTS")).state.last_seq
        stored = [await js.get_msg("EVENTS", seq=number) for number in range(1, last + 1)]
        return [KeyRevokedV1.decode(message.data or b"").event_id for message in stored]

    return read
