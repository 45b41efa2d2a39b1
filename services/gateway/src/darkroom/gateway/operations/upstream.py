"""One pool of connections to a service, and who may use how much of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from darkroom.gateway.domain.breaker import Breaker
from darkroom.gateway.domain.routes import Owner
from darkroom.gateway.domain.shares import Shares
from darkroom.platform.errors import Unavailable


class WatchedConnector(aiohttp.TCPConnector):
    """Tell a breaker whether the service was reached, at the moment it was.

    What becomes of the request then, or of the client who waits for it, is no news about that.
    """

    def __init__(self, breaker: Breaker, *, keep_alive_seconds: float) -> None:
        # Without a limit of its own: a wait for a free connection would look like a service that
        # does not accept any. `Upstream.slot` is the limit.
        super().__init__(limit=0, keepalive_timeout=keep_alive_seconds)
        self._breaker = breaker

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the session passes it by this name
    ) -> Connection:
        """Return a connection, kept or new."""
        try:
            connection = await super().connect(req, traces, timeout)
        except (aiohttp.ClientError, TimeoutError):
            self._breaker.refused(monotonic())
            raise
        self._breaker.connected()
        return connection


@dataclass(frozen=True, slots=True)
class Upstream:
    """One service as the data path sees it."""

    name: Owner
    base: str
    session: aiohttp.ClientSession
    breaker: Breaker
    slots: asyncio.Semaphore
    shares: Shares
    wait_seconds: float

    def url(self, path: str, query: bytes) -> URL:
        """Return an address as it is to be sent: nothing is encoded again."""
        text = f"{self.base}{path}?{query.decode('latin-1')}" if query else self.base + path
        return URL(text, encoded=True)

    @asynccontextmanager
    async def slot(self, client: str) -> AsyncIterator[None]:
        """Hold one of the pool's connections for a client.

        Raises TooManyAtOnce when the client has its share, and Unavailable when no connection
        falls free in time. Neither says anything about the service.
        """
        with self.shares.hold(client):
            if self.slots.locked():
                await self._wait()
            else:
                await self.slots.acquire()
            try:
                yield
            finally:
                self.slots.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self.wait_seconds):
                await self.slots.acquire()
        except TimeoutError as error:
            raise Unavailable(upstream=self.name, cause="pool_is_full") from error
