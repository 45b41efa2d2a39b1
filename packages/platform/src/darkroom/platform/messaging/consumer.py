"""Workers: subscriptions in, outcomes out; handlers never see an acknowledgement."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.contracts.event import Event
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.connection import BROKER_FAILURES, Connection
from darkroom.platform.messaging.handling import Delivery, Subscription, carry
from darkroom.platform.messaging.inbox import first_time
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.pull import Pull, PullLost, open_pull
from darkroom.platform.messaging.topology import ensure_consumer, stream_of
from darkroom.platform.telemetry.logs import get_logger

__all__ = ["Delivery", "Subscription", "Worker", "transactional"]

# Below the eight seconds a role has to leave, so that the rest can still be handed back.
_DRAIN_SECONDS: Final = 6.0
# After a wipe of the broker a consumer is there again within a second or two.
_REOPEN_SECONDS: Final = 0.5
_SETUP_SECONDS: Final = 5.0

E = TypeVar("E", bound=Event)

log = get_logger()


class Worker:
    """Run subscriptions: each slot takes one message when it is free, and none ahead of that."""

    def __init__(
        self,
        bus: JetStream,
        subscriptions: Sequence[Subscription[Any]],
        *,
        drain_seconds: float = _DRAIN_SECONDS,
    ) -> None:
        self._bus = bus
        self._subscriptions = subscriptions
        self._drain_seconds = drain_seconds
        self._pulls: set[Pull] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then finish what runs, and hand back what does not end in time.

        The broker may come and go: streams, consumers and pulls are made again.
        """
        slots = [
            asyncio.create_task(self._slot(subscription, stop), name=subscription.durable)
            for subscription in self._subscriptions
            for _ in range(subscription.concurrency)
        ]
        try:
            await _first(asyncio.wait(slots, return_when=asyncio.FIRST_EXCEPTION), stop.wait())
            if stop.is_set():
                await self._drain(slots)
        finally:
            await _end(slots)

    async def _drain(self, slots: Sequence[asyncio.Task[None]]) -> None:
        for pull in tuple(self._pulls):
            pull.interrupt()
        await asyncio.wait(slots, timeout=self._drain_seconds)

    async def _slot(self, subscription: Subscription[Any], stop: asyncio.Event) -> None:
        while not stop.is_set():
            await _first(self._bus.wait_connected(), stop.wait())
            try:
                await self._take_until_lost(subscription, stop)
            except (PullLost, Unavailable) as error:
                log.info("pull_lost", durable=subscription.durable, reason=repr(error))
                await _first(asyncio.sleep(_REOPEN_SECONDS), stop.wait())

    async def _take_until_lost(self, subscription: Subscription[Any], stop: asyncio.Event) -> None:
        if stop.is_set():
            return
        connection = self._bus.connection
        await self._ensure_consumer(connection, subscription)
        stream = stream_of(subscription.filter)
        async with open_pull(connection, stream=stream, durable=subscription.durable) as pull:
            with self._interruptible(pull):
                while connection.is_up and not stop.is_set():
                    taken = await pull.take()
                    if taken is not None:
                        await carry(self._bus, subscription, taken)

    async def _ensure_consumer(
        self, connection: Connection, subscription: Subscription[Any]
    ) -> None:
        await self._bus.rebuild()
        try:
            async with connection.deadline(_SETUP_SECONDS):
                await ensure_consumer(
                    connection.js,
                    durable=subscription.durable,
                    subject=subscription.filter,
                    ack_wait_seconds=subscription.ack_wait_seconds,
                )
        except BROKER_FAILURES as error:
            raise PullLost(repr(error)) from error

    @contextmanager
    def _interruptible(self, pull: Pull) -> Iterator[None]:
        self._pulls.add(pull)
        try:
            yield
        finally:
            self._pulls.discard(pull)


def transactional(
    sessions: SessionFactory,
    consumer: str,
    apply: Callable[[AsyncSession, E], Awaitable[None]],
) -> Callable[[E, Delivery], Awaitable[None]]:
    """Make a handler that applies an event once: inbox, effect and outbox in one transaction."""

    async def handler(event: E, _delivery: Delivery) -> None:
        async with transaction(sessions) as session:
            if await first_time(session, consumer, event.event_id):
                await apply(session, event)

    return handler


async def _first(*waits: Awaitable[Any]) -> None:
    """Wait for the first of several, and end the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(slots: Sequence[asyncio.Task[None]]) -> None:
    for slot in slots:
        slot.cancel()
    for result in await asyncio.gather(*slots, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
