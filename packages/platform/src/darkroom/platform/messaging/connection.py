"""One connection to the broker: made once, lost once, never repaired.

The client library can reconnect by itself, but its pull subscriptions may stay silent afterwards
and some of its tasks die unseen. A fresh client for each connection has one way to be set up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import StaleConnectionError
from nats.js import JetStreamContext

from darkroom.platform.settings import NatsSettings
from darkroom.platform.telemetry.logs import get_logger

# Tried four times a second: a restarted broker is found again before anybody notices.
_RETRY_SECONDS: Final = 0.25
_CONNECT_SECONDS: Final = 2
# Two unanswered pings, two seconds apart: a broker that is frozen or cut off counts as lost after
# six seconds, also when the library's reader has died.
_PING_SECONDS: Final = 2
_PINGS_UNANSWERED: Final = 2
# A look at the client's state, in case that it closes without a word.
_LOOK_SECONDS: Final = 0.5
# Above every deadline of ours, which end first.
_LIBRARY_TIMEOUT_SECONDS: Final = 30

log = get_logger()

# What the client raises when the broker is away, late or refuses.
BROKER_FAILURES: Final = (NatsError, OSError, TimeoutError)


class Connection:
    """Hold one connected client, and end what waits for an answer when the connection is lost."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=_LIBRARY_TIMEOUT_SECONDS)
        self._lost = asyncio.Event()
        self._waiting: set[asyncio.Timeout] = set()
        self._watchers: set[Callable[[], None]] = set()

    @property
    def is_up(self) -> bool:
        """Tell whether the connection still stands, as far as is known."""
        return not self._lost.is_set() and bool(self.client.is_connected)

    @property
    def address(self) -> str:
        """Return host and port of the broker, without credentials."""
        url = self.client.connected_url
        return f"{url.hostname}:{url.port}" if url is not None else "nowhere"

    @asynccontextmanager
    async def deadline(self, seconds: float) -> AsyncIterator[None]:
        """Limit a wait for the broker; TimeoutError at the deadline or when the connection dies."""
        async with asyncio.timeout(seconds if self.is_up else 0) as limit:
            self._waiting.add(limit)
            try:
                yield
            finally:
                self._waiting.discard(limit)

    @contextmanager
    def watched(self, on_lost: Callable[[], None]) -> Iterator[None]:
        """Call back once if the connection is lost inside the block."""
        self._watchers.add(on_lost)
        try:
            yield
        finally:
            self._watchers.discard(on_lost)

    async def wait_lost(self) -> None:
        """Return when the connection is gone."""
        while self.is_up:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._lost.wait()
            except TimeoutError:
                continue

    def lose(self) -> None:
        """Mark the connection as gone and wake everyone who waits on it."""
        self._lost.set()
        now = asyncio.get_running_loop().time()
        for limit in tuple(self._waiting):
            if not limit.expired():
                limit.reschedule(now)
        for on_lost in tuple(self._watchers):
            on_lost()


@asynccontextmanager
async def open_connection(settings: NatsSettings, *, name: str) -> AsyncIterator[Connection]:
    """Connect, however long it takes; raises one of BROKER_FAILURES when refused half-way."""
    client = Client()
    connection = Connection(client)

    async def lost() -> None:
        connection.lose()

    try:
        await client.connect(
            **_options(settings, name), error_cb=_log, disconnected_cb=lost, closed_cb=lost
        )
        yield connection
    finally:
        connection.lose()
        await _close(client)


def _options(settings: NatsSettings, name: str) -> dict[str, Any]:
    password = settings.password
    return {
        "servers": [server.strip() for server in settings.servers.split(",")],
        "user": settings.user,
        "password": password.get_secret_value() if password is not None else None,
        "name": f"darkroom-{name}",
        "allow_reconnect": False,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _RETRY_SECONDS,
        "connect_timeout": _CONNECT_SECONDS,
        "ping_interval": _PING_SECONDS,
        "max_outstanding_pings": _PINGS_UNANSWERED,
    }


async def _log(error: Exception) -> None:
    # A broker that is away is told once, by whoever holds the connection; the rest is news.
    if isinstance(error, OSError | TimeoutError | StaleConnectionError):
        log.debug("broker_client_failed", error=repr(error))
    else:
        log.warning("broker_client_failed", error=repr(error))


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.close()
    except BROKER_FAILURES as error:
        log.debug("broker_close_failed", error=repr(error))
