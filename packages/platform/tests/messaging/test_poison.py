from collections.abc import Callable
from typing import Any

import pytest

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.errors import Conflict, Unavailable
from darkroom.platform.messaging import handling
from darkroom.platform.messaging.consumer import Delivery, Subscription
from darkroom.platform.messaging.dead_letters import (
    CONSUMER_HEADER,
    DELIVERIES_HEADER,
    REASON_HEADER,
    SUBJECT_HEADER,
)
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.standing import oldest_pending

Fact = Callable[[], KeyRevokedV1]
Job = Callable[[], JobRequestedV1]
BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"


@pytest.mark.parametrize(
    ("error", "deliveries"),
    [(ZeroDivisionError("our fault"), 5), (Conflict("its own fault"), 1)],
    ids=["after_five_tries", "at_once"],
)
async def test_poison_becomes_a_dead_letter_and_leaves_its_lane(
    error: Exception,
    deliveries: int,
    quick: None,
    bus: JetStream,
    working: Any,
    eventually: Any,
    job: Job,
) -> None:
    numbers: list[int] = []

    async def handle(_event: JobRequestedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        raise error

    poison = job()
    await bus.publish(poison)

    async def is_gone() -> bool:
        return await oldest_pending(bus, BULK) is None

    async with working(Subscription(JobRequestedV1, handle, "processor-bulk", subject=BULK)):
        await eventually(is_gone)
    letter = await bus.connection.js.get_last_msg("DLQ", "darkroom.dead.JOBS")
    headers = letter.headers or {}
    assert letter.data == poison.encode()
    assert headers[SUBJECT_HEADER] == BULK
    assert headers[CONSUMER_HEADER] == "processor-bulk"
    assert headers[DELIVERIES_HEADER] == str(deliveries)
    assert str(error) in headers[REASON_HEADER]
    assert "x-request-id" in headers
    assert len(numbers) == deliveries


async def test_unreadable_message_becomes_a_dead_letter_unseen(
    bus: JetStream, working: Any, eventually: Any
) -> None:
    handled: list[KeyRevokedV1] = []

    async def handle(event: KeyRevokedV1, _delivery: Delivery) -> None:
        handled.append(event)

    async def is_buried() -> bool:
        return (await bus.connection.js.stream_info("DLQ")).state.messages == 1

    await bus.send(KeyRevokedV1.subject, b'{"account_id": 7}', message_id="1", headers={})
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(is_buried)
    assert handled == []


async def test_message_nobody_survives_is_buried_without_another_try(
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    bus: JetStream,
    working: Any,
    eventually: Any,
    fact: Fact,
) -> None:
    monkeypatch.setattr(handling, "ABANDONED_AFTER", 2)
    numbers: list[int] = []

    async def handle(_event: KeyRevokedV1, delivery: Delivery) -> None:
        numbers.append(delivery.number)
        raise Unavailable

    async def is_buried() -> bool:
        return (await bus.connection.js.stream_info("DLQ")).state.messages == 1

    await bus.publish(fact())
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(is_buried)
    assert numbers == [1, 2]


async def test_poison_as_large_as_a_message_may_be_is_buried_without_its_payload(
    bus: JetStream, working: Any, eventually: Any
) -> None:
    async def handle(_event: KeyRevokedV1, _delivery: Delivery) -> None:
        return

    async def is_buried() -> bool:
        return (await bus.connection.js.stream_info("DLQ")).state.messages == 1

    huge = bytes(bus.connection.client.max_payload - 35)
    await bus.send(KeyRevokedV1.subject, huge, message_id="1", headers={})
    async with working(Subscription(KeyRevokedV1, handle, "tests")):
        await eventually(is_buried)
    letter = await bus.connection.js.get_last_msg("DLQ", "darkroom.dead.EVENTS")
    assert not letter.data
    assert (letter.headers or {})[REASON_HEADER].startswith("payload left out; unreadable")
