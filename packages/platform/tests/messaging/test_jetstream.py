import asyncio
import shutil
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.errors import Broken, Unavailable
from darkroom.platform.http.requests import adopt_request_id
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream
from darkroom.platform.messaging.standing import oldest_pending
from darkroom.testing.own import OwnNats

BULK = f"{JobRequestedV1.subject}.{Lane.BULK}"


async def test_a_second_copy_of_an_event_is_dropped(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    event = fact()
    await bus.publish(event)
    await bus.publish(event)
    assert (await bus.connection.js.stream_info("EVENTS")).state.messages == 1


async def test_the_request_id_travels_with_an_event(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    adopt_request_id("request-of-the-caller")
    event = fact()
    await bus.publish(event)
    stored = await bus.connection.js.get_msg("EVENTS", seq=1)
    assert stored.headers is not None
    assert stored.headers["x-request-id"] == "request-of-the-caller"
    assert stored.headers["Nats-Msg-Id"] == str(event.event_id)


async def test_message_the_broker_never_takes_is_our_fault(bus: JetStream) -> None:
    limit = bus.connection.client.max_payload
    for size in (8_000_000, limit, limit - 10):
        with pytest.raises(Broken):
            await bus.send("darkroom.tests.huge.v1", bytes(size), message_id="1", headers={})
    await bus.send("darkroom.tests.huge.v1", bytes(limit - 35), message_id="1", headers={})
    await bus.check()


async def test_every_listener_hears_every_event(
    bus: JetStream, nats_server: OwnNats, fact: Callable[[], KeyRevokedV1]
) -> None:
    heard: list[tuple[str, KeyRevokedV1]] = []

    async def first(event: KeyRevokedV1) -> None:
        heard.append(("first", event))

    async def second(event: KeyRevokedV1) -> None:
        heard.append(("second", event))

    async with open_jetstream(nats_server.settings, name="other") as other:
        await other.listen(KeyRevokedV1, second)
        await other.wait_connected()
        await bus.listen(KeyRevokedV1, first)
        event = fact()
        await bus.publish(event)
        await asyncio.sleep(0.1)
    assert sorted(name for name, _ in heard) == ["first", "second"]
    assert {told for _, told in heard} == {event}


async def test_failing_listener_and_unreadable_event_do_not_end_listening(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    heard: list[KeyRevokedV1] = []

    async def stumble(event: KeyRevokedV1) -> None:
        heard.append(event)
        raise ZeroDivisionError

    await bus.listen(KeyRevokedV1, stumble)
    await bus.publish(fact())
    await bus.send(KeyRevokedV1.subject, b"{", message_id="1", headers={})
    await bus.publish(fact())
    await asyncio.sleep(0.1)
    assert len(heard) == 2


async def test_absent_broker_does_not_keep_a_service_from_starting(
    nats_server: OwnNats, fact: Callable[[], KeyRevokedV1]
) -> None:
    await nats_server.kill()
    async with open_jetstream(nats_server.settings, name="tests") as bus:
        assert bus.is_away
        with pytest.raises(Unavailable):
            await bus.publish(fact())
        with pytest.raises(Unavailable):
            await bus.check()
        with pytest.raises(Unavailable):
            await oldest_pending(bus, BULK)
        await nats_server.start()
        async with asyncio.timeout(3):
            await bus.wait_connected()
        await bus.publish(fact())
        assert not bus.is_away


async def test_listeners_and_callbacks_return_after_a_restart(
    bus: JetStream, nats_server: OwnNats, fact: Callable[[], KeyRevokedV1]
) -> None:
    heard: list[KeyRevokedV1] = []
    connects: list[bool] = []

    async def hear(event: KeyRevokedV1) -> None:
        heard.append(event)

    async def note() -> None:
        connects.append(bus.is_away)

    await bus.listen(KeyRevokedV1, hear)
    bus.on_reconnect(note)
    await nats_server.restart()
    async with asyncio.timeout(3):
        await bus.wait_connected()
    await bus.publish(fact())
    await asyncio.sleep(0.1)
    assert (len(heard), connects) == (1, [False])


async def test_wiped_broker_is_rebuilt(
    bus: JetStream, nats_server: OwnNats, fact: Callable[[], KeyRevokedV1]
) -> None:
    await nats_server.restart(after=lambda: shutil.rmtree(nats_server.directory))
    async with asyncio.timeout(3):
        await bus.wait_connected()
    await bus.publish(fact())
    assert (await bus.connection.js.stream_info("EVENTS")).state.messages == 1


async def test_stream_deleted_under_a_standing_connection_is_made_again(
    bus: JetStream, fact: Callable[[], KeyRevokedV1]
) -> None:
    await bus.connection.js.delete_stream("EVENTS")
    with pytest.raises(Unavailable):
        await bus.publish(fact())
    await bus.publish(fact())


async def test_publish_that_waits_for_a_dead_broker_fails_at_once(
    bus: JetStream,
    nats_server: OwnNats,
    freeze: Callable[[OwnNats], None],
    fact: Callable[[], KeyRevokedV1],
) -> None:
    freeze(nats_server)
    publish = asyncio.create_task(bus.publish(fact()))
    await asyncio.sleep(0.1)
    await nats_server.kill()
    async with asyncio.timeout(1):
        with pytest.raises(Unavailable):
            await publish


async def test_frozen_broker_is_taken_for_lost(
    bus: JetStream, nats_server: OwnNats, freeze: Callable[[OwnNats], None]
) -> None:
    freeze(nats_server)
    async with asyncio.timeout(8):
        await bus.connection.wait_lost()
    assert bus.is_away


async def test_a_peer_that_greets_with_nonsense_does_not_end_the_search_for_the_broker(
    nats_server: OwnNats, fact: Callable[[], KeyRevokedV1]
) -> None:
    greeted = asyncio.Event()

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO\r\n")
        greeted.set()
        await writer.drain()
        writer.close()

    await nats_server.kill()
    port = urlsplit(nats_server.settings.servers).port
    peer = await asyncio.start_server(greet, "127.0.0.1", port)
    async with open_jetstream(nats_server.settings, name="tests") as bus:
        await greeted.wait()
        await asyncio.sleep(0.1)
        assert bus.is_away
        peer.close()
        await peer.wait_closed()
        await nats_server.start()
        async with asyncio.timeout(5):
            await bus.wait_connected()
        await bus.publish(fact())
