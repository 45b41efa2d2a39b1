import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Conflict, Unavailable
from darkroom.platform.http.requests import adopt_request_id
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outbox import Relay, record

Fact = Callable[[], KeyRevokedV1]
Waiting = Callable[[], Awaitable[int]]


async def test_event_of_a_rolled_back_transaction_is_never_said(
    sessions: SessionFactory, engine: AsyncEngine, bus: JetStream, waiting: Waiting, fact: Fact
) -> None:
    async def refused() -> None:
        async with transaction(sessions) as session:
            await record(session, fact())
            raise Conflict

    with pytest.raises(Conflict):
        await refused()
    assert await waiting() == 0
    assert await Relay(engine, bus).drain() == 0


async def test_events_are_published_in_order_with_the_request_that_made_them(
    sessions: SessionFactory,
    engine: AsyncEngine,
    bus: JetStream,
    published: Callable[[], Awaitable[list[UUID]]],
    waiting: Waiting,
    fact: Fact,
) -> None:
    adopt_request_id("request-of-the-caller")
    events = [fact() for _ in range(250)]
    async with transaction(sessions) as session:
        for event in events:
            await record(session, event)
    adopt_request_id("another-request")
    assert await Relay(engine, bus).drain() == 250
    assert await published() == [event.event_id for event in events]
    assert await waiting() == 0
    stored = await bus.connection.js.get_msg("EVENTS", seq=1)
    assert (stored.headers or {})["x-request-id"] == "request-of-the-caller"


async def test_commit_wakes_the_relay_long_before_it_looks_by_itself(
    sessions: SessionFactory,
    engine: AsyncEngine,
    bus: JetStream,
    relaying: Any,
    eventually: Any,
    fact: Fact,
) -> None:
    heard: dict[UUID, float] = {}
    clock = asyncio.get_running_loop().time

    async def hear(event: KeyRevokedV1) -> None:
        heard[event.event_id] = clock()

    await bus.listen(KeyRevokedV1, hear)
    async with relaying(engine):
        await asyncio.sleep(0.3)
        delays = []
        for _ in range(10):
            event = fact()
            async with transaction(sessions) as session:
                await record(session, event)
            committed = clock()
            await eventually(lambda wanted=event.event_id: wanted in heard)
            delays.append(heard[event.event_id] - committed)
    # The poll alone would take half a second on average.
    assert sorted(delays)[5] < 0.1


async def test_two_relays_publish_each_event_once(
    sessions: SessionFactory,
    engine: AsyncEngine,
    relaying: Any,
    published: Callable[[], Awaitable[list[UUID]]],
    waiting: Waiting,
    eventually: Any,
    fact: Fact,
) -> None:
    events = [fact() for _ in range(300)]
    async with relaying(engine), relaying(engine):
        for start in range(0, 300, 10):
            async with transaction(sessions) as session:
                for event in events[start : start + 10]:
                    await record(session, event)

        async def is_empty() -> bool:
            return await waiting() == 0

        await eventually(is_empty)
    assert Counter(await published()) == Counter(event.event_id for event in events)


async def test_relay_that_dies_in_mid_run_loses_nothing_and_repeats_nothing(
    sessions: SessionFactory,
    engine: AsyncEngine,
    bus: JetStream,
    published: Callable[[], Awaitable[list[UUID]]],
    fact: Fact,
) -> None:
    events = [fact() for _ in range(400)]
    async with transaction(sessions) as session:
        for event in events:
            await record(session, event)
    for milliseconds in (4, 8, 12, 16, 20):
        dying = asyncio.create_task(Relay(engine, bus).drain())
        await asyncio.sleep(milliseconds / 1_000)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await Relay(engine, bus).drain()
    assert Counter(await published()) == Counter(event.event_id for event in events)


async def test_event_too_large_for_the_broker_does_not_hold_up_the_others(
    sessions: SessionFactory,
    engine: AsyncEngine,
    bus: JetStream,
    published: Callable[[], Awaitable[list[UUID]]],
    waiting: Waiting,
    fact: Fact,
) -> None:
    huge, fine = fact(), fact()
    async with transaction(sessions) as session:
        await record(session, huge)
        await session.execute(
            text("UPDATE outbox SET payload = convert_to(repeat('x', 2000000), 'UTF8')")
        )
        await record(session, fine)
    await Relay(engine, bus).drain()
    assert await published() == [fine.event_id]
    assert await waiting() == 1
    async with engine.connect() as connection:
        assert "too large" in await connection.scalar(text("SELECT refused FROM outbox"))


async def test_a_full_stream_does_not_hold_up_what_waits_behind_its_events(
    sessions: SessionFactory,
    engine: AsyncEngine,
    bus: JetStream,
    published: Callable[[], Awaitable[list[UUID]]],
    waiting: Waiting,
    fact: Fact,
    job: Callable[[], JobRequestedV1],
) -> None:
    js = bus.connection.js
    full = (await js.stream_info("JOBS")).config
    await js.update_stream(full.evolve(max_msgs=1))
    jobs, facts = [job() for _ in range(150)], [fact() for _ in range(150)]
    async with transaction(sessions) as session:
        for event in [*jobs, *facts]:
            await record(session, event)
    with pytest.raises(Unavailable):
        await Relay(engine, bus).drain()
    assert await published() == [event.event_id for event in facts]
    assert await waiting() == 149
    await js.update_stream(full)
    assert await Relay(engine, bus).drain() == 149
    assert (await js.stream_info("JOBS")).state.messages == 150
