import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.pull import ACK, open_pull
from darkroom.platform.messaging.standing import has_settled, newest_position, oldest_pending
from darkroom.platform.messaging.topology import ensure_consumer
from darkroom.testing.own import OwnNats

BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"
FACT = KeyRevokedV1.subject


async def test_oldest_pending_is_the_time_of_the_first_message_in_a_lane(
    bus: JetStream, job: Callable[[], JobRequestedV1]
) -> None:
    assert await oldest_pending(bus, BULK) is None
    before = datetime.now(UTC)
    await bus.publish(job())
    await asyncio.sleep(0.05)
    between = datetime.now(UTC)
    await bus.publish(job())
    oldest = await oldest_pending(bus, BULK)
    assert oldest is not None
    assert before - timedelta(milliseconds=1) <= oldest <= between
    assert await oldest_pending(bus, f"{JobRequestedV1.subject}.{Lane.INTERACTIVE}") is None
    await bus.connection.js.purge_stream("JOBS")
    assert await oldest_pending(bus, BULK) is None


async def test_a_consumer_has_settled_what_it_acknowledged_and_not_what_came_later(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    await ensure_consumer(bus.connection.js, durable="tests", subject=FACT, ack_wait_seconds=30)
    assert await has_settled(bus, "tests", subject=FACT, until=0)
    await bus.publish(fact())
    first = await newest_position(bus, FACT)
    assert not await has_settled(bus, "tests", subject=FACT, until=first)
    async with open_pull(bus.connection, stream="EVENTS", durable="tests") as pull:
        taken = await pull.take()
        assert taken is not None
        assert not await has_settled(bus, "tests", subject=FACT, until=first)
        await bus.publish(fact())
        await bus.respond(taken.reply, ACK)
        await bus.connection.client.flush()
    assert await has_settled(bus, "tests", subject=FACT, until=first)
    assert not await has_settled(bus, "tests", subject=FACT, until=await newest_position(bus, FACT))


async def test_a_consumer_still_to_be_made_has_settled_nothing_that_the_stream_holds(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    assert await has_settled(bus, "absent", subject=FACT, until=0)
    await bus.publish(fact())
    assert not await has_settled(bus, "absent", subject=FACT, until=1)
    assert await has_settled(bus, "absent", subject="darkroom.tests.other.v1", until=1)


async def test_without_the_broker_nobody_can_say_what_is_settled(
    bus: JetStream, nats_server: OwnNats
) -> None:
    await nats_server.kill()
    with pytest.raises(Unavailable):
        await newest_position(bus, FACT)
    with pytest.raises(Unavailable):
        await has_settled(bus, "tests", subject=FACT, until=0)
