import asyncio
import shutil
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.messaging.consumer import Delivery, Subscription
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.pull import PullLost, open_pull
from darkroom.platform.messaging.standing import oldest_pending
from darkroom.testing.own import OwnNats

Fact = Callable[[], KeyRevokedV1]
BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"

pytestmark = pytest.mark.resilience


@pytest.mark.parametrize("fate", ["restarted", "wiped"])
async def test_worker_goes_on_within_five_seconds_after_the_broker(
    fate: str,
    bus: JetStream,
    nats_server: OwnNats,
    working: Any,
    eventually: Any,
    fact: Fact,
) -> None:
    handled: list[UUID] = []

    async def handle(event: KeyRevokedV1, _delivery: Delivery) -> None:
        handled.append(event.event_id)

    async with working(Subscription(KeyRevokedV1, handle, "tests", concurrency=2)):
        for _ in range(3):
            await bus.publish(fact())
        await eventually(lambda: len(handled) == 3)
        for _ in range(2):
            after = (lambda: shutil.rmtree(nats_server.directory)) if fate == "wiped" else None
            await nats_server.restart(after=after)
            started = time.monotonic()
            await bus.wait_connected()
            event = fact()
            await bus.publish(event)
            await eventually(lambda wanted=event.event_id: wanted in handled)
            assert time.monotonic() - started < 5


async def test_worker_that_starts_before_the_broker_works_when_it_comes(
    bus: JetStream, nats_server: OwnNats, working: Any, eventually: Any, fact: Fact
) -> None:
    handled: list[UUID] = []

    async def handle(event: KeyRevokedV1, _delivery: Delivery) -> None:
        handled.append(event.event_id)

    await nats_server.kill()
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await nats_server.start()
        await bus.wait_connected()
        event = fact()
        await bus.publish(event)
        await eventually(lambda: bool(handled))
    assert handled == [event.event_id]


async def test_consumer_deleted_under_a_standing_connection_is_made_again(
    bus: JetStream, working: Any, eventually: Any, fact: Fact
) -> None:
    handled: list[UUID] = []

    async def handle(event: KeyRevokedV1, _delivery: Delivery) -> None:
        handled.append(event.event_id)

    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await bus.publish(fact())
        await eventually(lambda: len(handled) == 1)
        await bus.connection.js.delete_consumer("EVENTS", "tests")
        started = time.monotonic()
        event = fact()
        await bus.publish(event)
        await eventually(lambda: event.event_id in handled)
        assert time.monotonic() - started < 5


async def test_silent_pull_is_noticed_by_its_missing_heartbeats(
    bus: JetStream, working: Any, eventually: Any, fact: Fact
) -> None:
    handled: list[UUID] = []

    async def handle(event: KeyRevokedV1, _delivery: Delivery) -> None:
        handled.append(event.event_id)

    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await bus.publish(fact())
        await eventually(lambda: len(handled) == 1)
        await asyncio.sleep(0.1)
        # The broker forgets the inbox, as it may after a restart; the client does not know.
        client = bus.connection.client
        for number in tuple(client._subs):
            if "_INBOX" in client._subs[number].subject and client._subs[number].pending_msgs == 0:
                await client._send_unsubscribe(number)
        await asyncio.sleep(0.1)
        started = time.monotonic()
        client._resp_sub_prefix = None
        await bus.publish(fact())
        await eventually(lambda: len(handled) == 2)
        assert time.monotonic() - started < 5


async def test_work_that_ends_while_the_broker_is_away_is_not_done_twice(
    bus: JetStream,
    nats_server: OwnNats,
    working: Any,
    eventually: Any,
    job: Callable[[], JobRequestedV1],
) -> None:
    numbers: list[int] = []
    release, ended = asyncio.Event(), asyncio.Event()

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        await release.wait()
        ended.set()

    await bus.publish(job())
    async with working(
        Subscription(JobRequestedV1, handle, "processor-bulk", subject=BULK, ack_wait_seconds=3)
    ):
        await eventually(lambda: numbers == [1])
        await nats_server.kill()
        release.set()
        await ended.wait()
        await asyncio.sleep(0.2)
        await nats_server.start()
        await bus.wait_connected()

        async def is_gone() -> bool:
            return await oldest_pending(bus, BULK) is None

        await eventually(is_gone)
    assert numbers == [1]


async def test_work_that_spans_a_restart_is_acknowledged_over_the_next_connection(
    bus: JetStream,
    nats_server: OwnNats,
    working: Any,
    eventually: Any,
    job: Callable[[], JobRequestedV1],
) -> None:
    numbers: list[int] = []
    release = asyncio.Event()

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        await release.wait()

    await bus.publish(job())
    async with working(Subscription(JobRequestedV1, handle, "processor-bulk", subject=BULK)):
        await eventually(lambda: numbers == [1])
        await nats_server.restart()
        await bus.wait_connected()
        release.set()

        async def is_gone() -> bool:
            return await oldest_pending(bus, BULK) is None

        await eventually(is_gone)
    assert numbers == [1]


async def test_a_pull_opened_on_a_connection_that_just_ended_is_a_lost_pull(
    bus: JetStream,
) -> None:
    connection = bus.connection
    await connection.client.close()
    with pytest.raises(PullLost):
        async with open_pull(connection, stream="JOBS", durable="tests"):
            pass
