import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import text

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.db.session import SessionFactory
from darkroom.platform.errors import Unavailable
from darkroom.platform.http.requests import adopt_request_id, current_request_id
from darkroom.platform.messaging import handling
from darkroom.platform.messaging.consumer import Delivery, Subscription, transactional
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.standing import oldest_pending

Fact = Callable[[], KeyRevokedV1]
Job = Callable[[], JobRequestedV1]
BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"


async def test_handler_gets_the_event_its_number_and_the_senders_request(
    bus: JetStream, working: Any, eventually: Any, fact: Fact
) -> None:
    seen: list[tuple[KeyRevokedV1, int, str]] = []

    async def handle(event: KeyRevokedV1, delivery: Delivery) -> None:
        seen.append((event, delivery.number, current_request_id()))

    event = fact()
    adopt_request_id("request-of-the-caller")
    await bus.publish(event)
    adopt_request_id("another-request")
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(lambda: bool(seen))
    assert seen == [(event, 1, "request-of-the-caller")]


async def test_job_leaves_its_lane_only_when_it_is_done(
    bus: JetStream, working: Any, eventually: Any, job: Job
) -> None:
    release = asyncio.Event()
    started: list[JobRequestedV1] = []

    async def handle(event: JobRequestedV1, _delivery: Delivery) -> None:
        started.append(event)
        await release.wait()

    await bus.publish(job())
    async with working(Subscription(JobRequestedV1, handle, "processor-bulk", subject=BULK)):
        await eventually(lambda: bool(started))
        assert await oldest_pending(bus, BULK) is not None
        release.set()

        async def is_gone() -> bool:
            return await oldest_pending(bus, BULK) is None

        await eventually(is_gone)


async def test_no_more_messages_are_taken_than_there_are_slots(
    bus: JetStream, working: Any, eventually: Any, job: Job
) -> None:
    running: list[int] = [0, 0]
    done: list[UUID] = []

    async def handle(event: JobRequestedV1, _delivery: Delivery) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(0.02)
        running[0] -= 1
        done.append(event.job_id)

    for _ in range(20):
        await bus.publish(job())
    two = Subscription(JobRequestedV1, handle, "processor-bulk", concurrency=2, subject=BULK)
    async with working(two):
        await eventually(lambda: bool(done))
        consumer = await bus.connection.js.consumer_info("JOBS", "processor-bulk")
        assert (consumer.num_ack_pending or 0) <= 2
        await eventually(lambda: len(done) == 20)
    assert running[1] == 2


async def test_failing_handler_is_tried_again_later(
    quick: None, bus: JetStream, working: Any, eventually: Any, fact: Fact
) -> None:
    numbers: list[int] = []

    async def handle(_event: KeyRevokedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        if delivery.number < 3:
            raise ZeroDivisionError

    await bus.publish(fact())
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(lambda: len(numbers) == 3)
        await asyncio.sleep(0.2)
    assert numbers == [1, 2, 3]


async def test_outage_is_waited_out_for_as_long_as_it_lasts(
    quick: None, bus: JetStream, working: Any, eventually: Any, fact: Fact
) -> None:
    numbers: list[int] = []

    async def handle(_event: KeyRevokedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        if delivery.number <= handling.MAX_DELIVERIES + 1:
            raise Unavailable

    await bus.publish(fact())
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(lambda: len(numbers) == handling.MAX_DELIVERIES + 2)
    assert (await bus.connection.js.stream_info("DLQ")).state.messages == 0


async def test_message_of_a_worker_that_died_goes_to_another(
    bus: JetStream, working: Any, eventually: Any, job: Job
) -> None:
    numbers: list[int] = []

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)

    await bus.publish(job())
    lane = Subscription(
        JobRequestedV1, handle, "processor-bulk", subject=BULK, ack_wait_seconds=1.0
    )
    # A dead process neither acknowledges nor beats: its message comes back by the broker's clock.
    js = bus.connection.js
    async with working(lane):
        await eventually(lambda: len(numbers) == 1)
    await bus.publish(job())
    dead = await js.pull_subscribe_bind("processor-bulk", stream="JOBS")
    assert len(await dead.fetch(1)) == 1
    started = time.monotonic()
    async with working(lane):
        await eventually(lambda: len(numbers) == 2)
    assert numbers == [1, 2]
    assert time.monotonic() - started < 3


async def test_long_work_keeps_its_message_by_heartbeats(
    bus: JetStream, working: Any, job: Job
) -> None:
    numbers: list[int] = []

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        await asyncio.sleep(2.2)

    await bus.publish(job())
    slow = Subscription(
        JobRequestedV1, handle, "processor-bulk", concurrency=2, subject=BULK, ack_wait_seconds=0.6
    )
    async with working(slow):
        await asyncio.sleep(2.5)
    assert numbers == [1]


async def test_transactional_handler_applies_a_repeated_event_once(
    quick: None,
    bus: JetStream,
    sessions: SessionFactory,
    working: Any,
    eventually: Any,
    fact: Fact,
) -> None:
    tries: list[UUID] = []

    async def apply(session: Any, event: KeyRevokedV1) -> None:
        tries.append(event.event_id)
        await session.execute(text("SELECT 1"))
        if len(tries) == 1:
            raise ZeroDivisionError

    handler = transactional(sessions, "tests", apply)
    event = fact()
    await bus.publish(event)
    async with working(Subscription(KeyRevokedV1, handler, "tests")):
        await eventually(lambda: len(tries) == 2)
        await bus.send(event.subject, event.encode(), message_id="a second copy", headers={})
        await asyncio.sleep(0.3)
    assert tries == [event.event_id] * 2
