import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.overdue import Remedy
from darkroom.catalog.events import subscriptions
from darkroom.catalog.store.tables import outbox
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageStatus
from darkroom.contracts.jobs import JobCompletedV1
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.consumer import Worker
from darkroom.platform.messaging.jetstream import JetStream

Make = Callable[..., Awaitable[Image]]


@pytest.fixture
def work(sessions: SessionFactory, bus: JetStream) -> Callable[[], Any]:
    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        stop = asyncio.Event()
        running = asyncio.create_task(Worker(bus, subscriptions(sessions, concurrency=2)).run(stop))
        yield
        stop.set()
        await running

    return run


@pytest.mark.parametrize("has_worked_before", [True, False])
async def test_a_result_that_nobody_has_applied_yet_is_waited_for_and_not_thrown_away(
    has_worked_before: bool,
    sweep: Any,
    register: Make,
    bus: JetStream,
    work: Any,
    completed: Callable[..., JobCompletedV1],
    sessions: SessionFactory,
    unsent_jobs: Any,
    reload: Any,
) -> None:
    if has_worked_before:
        async with work():
            await asyncio.sleep(0.3)
    finished, lost = await register(), await register()
    async with transaction(sessions) as session:
        await session.execute(outbox.delete())
    await bus.publish(completed(finished))
    assert await sweep() == {}
    assert await unsent_jobs() == []
    async with work():
        while (await reload(finished)).status is not ImageStatus.READY:
            await asyncio.sleep(0.02)
    assert (await reload(finished)).attempt == 1
    assert await sweep() == {Remedy.REQUEUE: 1}
    assert [(job.image_id, job.attempt) for job in await unsent_jobs()] == [(lost.id, 2)]


async def test_a_steady_flow_of_results_does_not_hide_lost_jobs(
    sweep: Any,
    register: Make,
    bus: JetStream,
    work: Any,
    completed: Callable[..., JobCompletedV1],
    sessions: SessionFactory,
) -> None:
    image = await register()
    async with transaction(sessions) as session:
        await session.execute(outbox.delete())

    async def flow() -> None:
        while True:
            await bus.publish(completed(image, image_id=new_id()))
            await asyncio.sleep(0.01)

    async with work():
        flowing = asyncio.create_task(flow())
        await asyncio.sleep(0.5)
        assert await sweep() == {Remedy.REQUEUE: 1}
        flowing.cancel()
