import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.overdue import LIFETIME, Remedy, patience
from darkroom.catalog.store.locks import Chore, turn
from darkroom.catalog.store.tables import outbox
from darkroom.contracts.images import ImageFailedV1, ImageStatus
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outbox import Relay
from darkroom.testing.own import OwnNats

Make = Callable[..., Awaitable[Image]]
SECOND = timedelta(seconds=1)
OVERDUE = patience(1) + SECOND


async def test_an_image_within_its_deadline_is_left_alone(sweep: Any, register: Make) -> None:
    await register()
    assert await sweep(later=timedelta(0)) == {}


async def test_k_12_a_job_still_in_the_outbox_is_not_asked_for_twice(
    sweep: Any, register: Make, unsent_jobs: Any, reload: Any
) -> None:
    image = await register()
    assert await sweep() == {}
    assert [job.attempt for job in await unsent_jobs()] == [1]
    assert await reload(image) == image


async def test_a_job_that_waits_in_its_lane_is_waited_for(
    sweep: Any, register: Make, relay: Relay, unsent_jobs: Any, reload: Any
) -> None:
    image = await register()
    await relay.drain()
    assert await sweep() == {}
    assert await sweep(later=LIFETIME - SECOND) == {}
    assert await unsent_jobs() == []
    assert await reload(image) == image


async def test_a_job_sent_late_is_not_taken_for_lost(
    sweep: Any, register: Make, relay: Relay, unsent_jobs: Any
) -> None:
    asked_long_ago = datetime.now(UTC) - timedelta(minutes=5)
    await register(now=asked_long_ago)
    await relay.drain()
    assert await sweep(late=timedelta(0)) == {}
    assert await unsent_jobs() == []


async def test_a_lane_that_has_passed_a_job_has_lost_it(
    sweep: Any, register: Make, relay: Relay, sessions: SessionFactory, unsent_jobs: Any
) -> None:
    lost = await register(now=datetime.now(UTC) - timedelta(minutes=5))
    async with transaction(sessions) as session:
        await session.execute(outbox.delete())
    await register()
    await relay.drain()
    assert await sweep() == {Remedy.REQUEUE: 1}
    assert [(job.image_id, job.attempt) for job in await unsent_jobs()] == [(lost.id, 2)]


async def test_a_restarted_sweep_finds_lost_jobs_under_a_standing_backlog(
    remedies: Any, register: Make, relay: Relay, sessions: SessionFactory, unsent_jobs: Any
) -> None:
    now = datetime.now(UTC)
    for seconds in (100, 50, 0):
        earlier = now - timedelta(seconds=seconds)
        assert await remedies().apply(now=earlier) == {}
    lost = await register(now=now - timedelta(minutes=5))
    async with transaction(sessions) as session:
        await session.execute(outbox.delete())
    await register()
    await relay.drain()
    assert await remedies().apply(now=now + OVERDUE) == {Remedy.REQUEUE: 1}
    assert [job.image_id for job in await unsent_jobs()] == [lost.id]


async def test_a_wiped_broker_loses_no_image(
    sweep: Any,
    register: Make,
    relay: Relay,
    nats_server: OwnNats,
    bus: JetStream,
    unsent_jobs: Any,
    reload: Any,
) -> None:
    images = [await register() for _ in range(3)]
    await relay.drain()
    await nats_server.wipe()
    await asyncio.wait_for(reconnected(bus), timeout=10)
    assert await sweep() == {Remedy.REQUEUE: 3}
    assert [job.attempt for job in await unsent_jobs()] == [2, 2, 2]
    again = await reload(images[0])
    assert (again.attempt, again.status, again.version) == (2, ImageStatus.QUEUED, 1)
    await relay.drain()
    assert again.deadline_at - again.enqueued_at == patience(2)
    assert await sweep(later=patience(1) + patience(2) + 2 * SECOND) == {}


async def reconnected(bus: JetStream) -> None:
    while not bus.is_away:
        await asyncio.sleep(0.01)
    await bus.wait_connected()


async def test_while_the_broker_is_away_nothing_is_asked_for_again(
    sweep: Any, register: Make, relay: Relay, nats_server: OwnNats, unsent_jobs: Any
) -> None:
    await register()
    await relay.drain()
    await nats_server.stop()
    assert await sweep() == {}
    assert await unsent_jobs() == []


async def test_after_a_day_an_image_ends_failed_and_says_so(
    sweep: Any, register: Make, reload: Any, nats_server: OwnNats, sessions: SessionFactory
) -> None:
    image = await register(now=datetime.now(UTC) - LIFETIME)
    await nats_server.stop()
    assert await sweep() == {Remedy.EXPIRE: 1}
    expired = await reload(image)
    assert expired.status is ImageStatus.FAILED
    assert expired.failure is not None
    assert expired.failure.code == "processing_expired"
    async with sessions() as session:
        subjects = (await session.scalars(select(outbox.c.subject))).all()
    assert ImageFailedV1.subject in subjects
    assert await sweep() == {}


async def test_k_28_sweeps_side_by_side_ask_once(
    sweep: Any, register: Make, relay: Relay, nats_server: OwnNats, bus: JetStream, unsent_jobs: Any
) -> None:
    for _ in range(10):
        await register()
    await relay.drain()
    await nats_server.wipe()
    await asyncio.wait_for(reconnected(bus), timeout=10)
    counts = await asyncio.gather(*(sweep() for _ in range(4)))
    assert sum(count.get(Remedy.REQUEUE, 0) for count in counts) == 10
    assert sorted(job.attempt for job in await unsent_jobs()) == [2] * 10


async def test_a_chore_is_one_process_s_at_a_time(engine: AsyncEngine) -> None:
    async with (
        turn(engine, Chore.REMEDY) as first,
        turn(engine, Chore.REMEDY) as second,
        turn(engine, Chore.TIDY) as other,
    ):
        assert (first, second, other) == (True, False, True)
    async with turn(engine, Chore.REMEDY) as again:
        assert again
