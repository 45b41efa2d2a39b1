"""The broker as a service sees it: publish a fact, listen to facts, know whether it is away.

Needs: NATS 2.12 or later with JetStream on file storage. Streams are made by whoever connects
first, so an empty broker, or one whose directory was deleted, is rebuilt within a second.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

from nats.aio.msg import Msg
from nats.errors import BadHeaderError, BadSubjectError
from nats.js import JetStreamContext
from nats.js.api import Header
from nats.js.errors import NoStreamResponseError
from pydantic import ValidationError

from darkroom.contracts.event import Event
from darkroom.platform.errors import Broken, Unavailable
from darkroom.platform.messaging.connection import (
    BROKER_FAILURES,
    Connection,
    open_connection,
)
from darkroom.platform.messaging.topology import ensure_topology
from darkroom.platform.settings import NatsSettings
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.metrics import EVENTS_PUBLISHED
from darkroom.platform.telemetry.propagation import extract, inject

# The broker answers a publish in about a millisecond, or in tens when it syncs each to a slow
# disk; whoever publishes can wait and repeat, so five seconds lose nothing.
_PUBLISH_SECONDS: Final = 5.0
_QUESTION_SECONDS: Final = 1.5
_SETUP_SECONDS: Final = 5.0
# A broker that refuses us, or is still reading its files, is asked again twice a second.
_PAUSE_SECONDS: Final = 0.5
# What answers nonsense in the broker's place is asked ever less often. The broker itself may come
# back there: work then still goes on within five seconds.
_LONGEST_PAUSE_SECONDS: Final = 4.0

E = TypeVar("E", bound=Event)
Callback = Callable[[], Awaitable[None]]
Hear = Callable[[Msg], Awaitable[None]]

log = get_logger()


class JetStream:
    """Speak to the broker through whichever connection stands; Unavailable while there is none."""

    def __init__(self, settings: NatsSettings, *, name: str) -> None:
        self._settings = settings
        self._name = name
        self._connection: Connection | None = None
        self._connected = asyncio.Event()
        self._listeners: list[tuple[str, Hear]] = []
        self._callbacks: list[Callback] = []

    @property
    def is_away(self) -> bool:
        """Tell whether facts go unheard: there is no connection, or no listener on it yet."""
        connection = self._connection
        return connection is None or not connection.is_up or not self._connected.is_set()

    @property
    def connection(self) -> Connection:
        """Return the standing connection; raises Unavailable while there is none."""
        if self._connection is None or not self._connection.is_up:
            raise Unavailable(dependency="nats", cause="away")
        return self._connection

    async def wait_connected(self) -> None:
        """Return as soon as a connection stands, its streams made and its listeners in place."""
        await self._connected.wait()

    async def publish(self, event: Event, *, headers: Mapping[str, str] | None = None) -> None:
        """Publish an event and wait until the broker has stored it.

        Repeating it is safe: the broker drops a second copy of an event id. The current trace and
        request id go along unless headers are given. Raises Unavailable.
        """
        fields = dict(headers or {})
        if headers is None:
            inject(fields)
        await self.send(event.route, event.encode(), message_id=str(event.event_id), headers=fields)

    async def send(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str]
    ) -> None:
        """Store a message under a subject; Unavailable when that is not certain.

        Raises Broken for a message the broker will never take: too large, or a bad subject.
        """
        connection = self.connection
        fields = {**headers, Header.MSG_ID.value: message_id}
        if _size(payload, fields) > connection.client.max_payload:
            # The client counts the payload alone, and the broker hangs up on what it lets through.
            raise Broken(cause="too large", subject=subject)
        try:
            async with connection.deadline(_PUBLISH_SECONDS):
                await connection.js.publish(subject, payload, headers=fields)
        except (BadSubjectError, BadHeaderError) as error:
            raise Broken(cause=type(error).__name__, subject=subject) from error
        except NoStreamResponseError as error:
            await self.rebuild()
            raise _unavailable(error) from error
        except BROKER_FAILURES as error:
            raise _unavailable(error) from error
        EVENTS_PUBLISHED.labels(subject).inc()

    async def respond(self, reply: str, payload: bytes) -> None:
        """Send a few bytes without waiting for an answer, as acknowledgements are."""
        try:
            await self.connection.client.publish(reply, payload)
        except BROKER_FAILURES as error:
            raise _unavailable(error) from error

    @asynccontextmanager
    async def question(self) -> AsyncIterator[JetStreamContext]:
        """Ask JetStream itself inside the block; raises Unavailable when it does not answer."""
        connection = self.connection
        try:
            async with connection.deadline(_QUESTION_SECONDS):
                yield connection.js
        except BROKER_FAILURES as error:
            raise _unavailable(error) from error

    async def check(self) -> None:
        """Tell that JetStream answers; raises Unavailable when it does not."""
        async with self.question() as js:
            await js.account_info()

    async def listen(self, event_type: type[E], listener: Callable[[E], Awaitable[None]]) -> None:
        """Hear every event of a type from here on, in every process that listens.

        Nothing said while the broker is away is heard: use `on_reconnect` to catch up.
        """

        async def hear(message: Msg) -> None:
            await _hear(event_type, listener, message)

        self._listeners.append((event_type.subject, hear))
        # While a connection is being set up, its setting up comes to this listener as well.
        if not self.is_away:
            with suppress(*BROKER_FAILURES):
                await _subscribe(self.connection, event_type.subject, hear)

    def on_reconnect(self, callback: Callback) -> None:
        """Call back after each connect, the first included, once listeners are in place."""
        self._callbacks.append(callback)

    async def rebuild(self) -> None:
        """Make the streams again where they are gone; raises Unavailable."""
        connection = self.connection
        try:
            async with connection.deadline(_SETUP_SECONDS):
                await ensure_topology(connection.js)
        except BROKER_FAILURES as error:
            raise _unavailable(error) from error

    async def stay_connected(self) -> None:
        """Keep a connection standing until cancelled."""
        pause = _PAUSE_SECONDS
        while True:
            try:
                async with open_connection(self._settings, name=self._name) as connection:
                    await self._use(connection)
                pause = _PAUSE_SECONDS
            except (*BROKER_FAILURES, Unavailable) as error:
                log.warning("broker_refused", error=repr(error))
                pause = _PAUSE_SECONDS
            except Exception:
                # An edge: nobody awaits this task, and the client library stumbles over a peer
                # that is no broker. Ending here would cut the process off without a word.
                log.exception("broker_connection_broke")
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _use(self, connection: Connection) -> None:
        self._connection = connection
        try:
            await self.rebuild()
            # A list may grow while it is walked: who joins meanwhile is reached too.
            for subject, hear in self._listeners:
                await _subscribe(connection, subject, hear)
            self._connected.set()
            log.info("broker_connected", server=connection.address)
            await self._call_back()
            await connection.wait_lost()
            log.warning("broker_lost")
        finally:
            self._connected.clear()
            self._connection = None

    async def _call_back(self) -> None:
        for callback in tuple(self._callbacks):
            try:
                await callback()
            except Exception:
                log.exception("broker_callback_failed")


@asynccontextmanager
async def open_jetstream(settings: NatsSettings, *, name: str) -> AsyncIterator[JetStream]:
    """Open the broker without waiting for it: a service starts and serves while it is away."""
    bus = JetStream(settings, name=name)
    task = asyncio.create_task(bus.stay_connected(), name="broker-connection")
    try:
        yield bus
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _subscribe(connection: Connection, subject: str, hear: Hear) -> None:
    async with connection.deadline(_QUESTION_SECONDS):
        await connection.client.subscribe(subject, cb=hear)
        # Only the broker's answer to a ping says that the subscription has arrived there.
        await connection.client.flush()


def _size(payload: bytes, headers: Mapping[str, str]) -> int:
    # "NATS/1.0", a line for each field with a colon, a space and its end, an empty line.
    lines = sum(len(name.encode()) + len(value.encode()) + 4 for name, value in headers.items())
    return len(payload) + lines + 12


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable(dependency="nats", cause=type(error).__name__, detail=str(error)[:200])


async def _hear(
    event_type: type[E], listener: Callable[[E], Awaitable[None]], message: Msg
) -> None:
    extract(message.headers or {})
    try:
        await listener(event_type.decode(message.data))
    except ValidationError:
        log.warning("event_unreadable", subject=message.subject)
    except Exception:
        # A listener's failure must not end the subscription it shares with the next event.
        log.exception("listener_failed", subject=message.subject)
