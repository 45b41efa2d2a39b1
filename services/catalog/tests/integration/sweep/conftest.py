from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.overdue import OutboxWatch, Remedy, patience
from darkroom.catalog.events import DURABLES
from darkroom.catalog.operations.overdue import Remedies
from darkroom.catalog.store.backlog import save_watch
from darkroom.catalog.store.images import Images
from darkroom.catalog.store.tables import outbox
from darkroom.contracts.jobs import JobRequestedV1
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.platform.messaging.outbox import Relay
from darkroom.testing.own import OwnNats

SECOND = timedelta(seconds=1)
OVERDUE = patience(1) + SECOND


@pytest_asyncio.fixture
async def bus(nats_server: OwnNats) -> AsyncIterator[JetStream]:
    async with open_jetstream(nats_server.settings, name="catalog-tests") as bus:
        await bus.wait_connected()
        yield bus


@pytest.fixture
def relay(engine: AsyncEngine, bus: JetStream) -> Relay:
    return Relay(engine, bus)


@pytest.fixture
def remedies(sessions: SessionFactory, bus: JetStream) -> Callable[[], Remedies]:
    results = {durable: kind.subject for kind, durable in DURABLES.items()}
    return lambda: Remedies(sessions, bus, results)


@pytest.fixture
def sweep(
    sessions: SessionFactory, remedies: Callable[[], Remedies]
) -> Callable[..., Awaitable[dict[Remedy, int]]]:
    async def run(
        *, later: timedelta = OVERDUE, late: timedelta = timedelta(hours=-1)
    ) -> dict[Remedy, int]:
        now = datetime.now(UTC)
        async with transaction(sessions) as session:
            await save_watch(session, OutboxWatch(looked_at=now + later, late_until=now + late))
        return dict(await remedies().apply(now=now + later))

    return run


@pytest.fixture
def reload(sessions: SessionFactory) -> Callable[[Image], Awaitable[Image]]:
    async def load(image: Image) -> Image:
        async with transaction(sessions) as session:
            return await Images(session).get(image.id, owner=image.owner)

    return load


@pytest.fixture
def unsent_jobs(sessions: SessionFactory) -> Callable[[], Awaitable[list[JobRequestedV1]]]:
    async def read() -> list[JobRequestedV1]:
        query = select(outbox.c.payload).where(outbox.c.subject.startswith(JobRequestedV1.subject))
        async with sessions() as session:
            return [
                JobRequestedV1.decode(payload)
                for payload in await session.scalars(query.order_by(outbox.c.position))
            ]

    return read
