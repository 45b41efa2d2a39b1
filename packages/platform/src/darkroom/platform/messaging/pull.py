"""One free slot at the broker: it asks for one message, and notices when nobody answers.

The broker sends a heartbeat every second while a request waits. Two and a half without one mean
that the request is gone: after a restart, a wipe or a switch of leaders nobody else would tell.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header, StatusCode

from darkroom.platform.messaging.connection import BROKER_FAILURES, Connection
from darkroom.platform.telemetry.logs import get_logger

ACK: Final = b"+ACK"
PROGRESS: Final = b"+WPI"

_NANOSECONDS: Final = 1_000_000_000
_HEARTBEAT_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 2.5
# How long one request waits at the broker before it is asked again.
_EXPIRES_SECONDS: Final = 30
_CLOSE_SECONDS: Final = 2.0
_ACK_PREFIX: Final = "$JS.ACK."
_ASK_AGAIN: Final = frozenset({StatusCode.NO_MESSAGES.value, StatusCode.REQUEST_TIMEOUT.value})

log = get_logger()


class PullLost(Exception):
    """The consumer, its answer or the connection is gone; open another pull."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in our hands: what it says and where its acknowledgement goes."""

    subject: str
    payload: bytes
    headers: dict[str, str]
    reply: str
    stream: str
    consumer: str
    sequence: int
    number: int


def nak(delay_seconds: float) -> bytes:
    """Write the refusal that brings a message back after a delay."""
    return b"-NAK " + json.dumps({"delay": int(delay_seconds * _NANOSECONDS)}).encode()


class Pull:
    """Take messages one by one for one slot."""

    def __init__(self, connection: Connection, *, stream: str, durable: str) -> None:
        self._connection = connection
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = connection.client.new_inbox()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Start to hear answers. Raises PullLost."""
        client = self._connection.client
        try:
            self._subscription = await client.subscribe(self._inbox, cb=self._arrive)
        except BROKER_FAILURES as error:
            raise PullLost(repr(error)) from error

    async def close(self) -> None:
        """Stop to hear; what arrives meanwhile is handed back to the broker at once."""
        if self._subscription is None or not self._connection.is_up:
            return
        try:
            async with self._connection.deadline(_CLOSE_SECONDS):
                await self._subscription.drain()  # type: ignore[no-untyped-call]
                await self._give_back()
        except BROKER_FAILURES as error:
            log.debug("pull_close_failed", error=repr(error))

    def interrupt(self) -> None:
        """Make a waiting `take` return None."""
        self._arrived.put_nowait(None)

    async def take(self) -> Taken | None:
        """Wait for the next message; None after an interruption. Raises PullLost."""
        await self._ask()
        while (message := await self._next()) is not None:
            if message.reply.startswith(_ACK_PREFIX):
                return _taken(message)
            status = (message.headers or {}).get(Header.STATUS.value)
            if status in _ASK_AGAIN:
                await self._ask()
            elif status != StatusCode.CONTROL_MESSAGE:
                raise PullLost(str(message.headers))
        return None

    async def _next(self) -> Msg | None:
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                return await self._arrived.get()
        except TimeoutError as error:
            raise PullLost("silent") from error

    async def _ask(self) -> None:
        wish = {
            "batch": 1,
            "expires": _EXPIRES_SECONDS * _NANOSECONDS,
            "idle_heartbeat": int(_HEARTBEAT_SECONDS * _NANOSECONDS),
        }
        try:
            await self._connection.client.publish(
                self._request, json.dumps(wish).encode(), reply=self._inbox
            )
        except BROKER_FAILURES as error:
            raise PullLost(repr(error)) from error

    async def _arrive(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    async def _give_back(self) -> None:
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None and message.reply.startswith(_ACK_PREFIX):
                await self._connection.client.publish(message.reply, nak(0))


@asynccontextmanager
async def open_pull(connection: Connection, *, stream: str, durable: str) -> AsyncIterator[Pull]:
    """Open a slot's pull for a block; it is interrupted when the connection is lost.

    Raises PullLost.
    """
    pull = Pull(connection, stream=stream, durable=durable)
    try:
        await pull.open()
        with connection.watched(pull.interrupt):
            yield pull
    finally:
        await pull.close()


def _taken(message: Msg) -> Taken:
    metadata = message.metadata
    return Taken(
        subject=message.subject,
        payload=message.data,
        headers=dict(message.headers or {}),
        reply=message.reply,
        stream=metadata.stream,
        consumer=metadata.consumer,
        sequence=metadata.sequence.stream,
        number=metadata.num_delivered or 1,
    )
