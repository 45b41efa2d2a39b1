"""The sweep: two chores, each done by one process at a time, for as long as the process lives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.catalog.domain.reconcile import LatestReport
from darkroom.catalog.operations.overdue import Remedies
from darkroom.catalog.operations.tidy import prune_inbox, reconcile, remove_abandoned
from darkroom.catalog.store.locks import Chore, turn
from darkroom.platform.db.session import SessionFactory
from darkroom.platform.errors import TimedOut, Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.telemetry.logs import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Sweeper:
    engine: AsyncEngine
    sessions: SessionFactory
    bus: JetStream
    blobs: BlobStore
    latest: LatestReport
    results: Mapping[str, str]

    async def remedy_forever(self, stop: asyncio.Event, *, every_seconds: float) -> None:
        remedies = Remedies(self.sessions, self.bus, self.results)

        async def remedy() -> None:
            await remedies.apply(now=datetime.now(UTC))

        await self._repeat(Chore.REMEDY, remedy, stop, every_seconds)

    async def tidy_forever(self, stop: asyncio.Event, *, every_seconds: float) -> None:
        await self._repeat(Chore.TIDY, self.tidy, stop, every_seconds)

    async def tidy(self) -> None:
        await remove_abandoned(self.blobs, now=datetime.now(UTC))
        await prune_inbox(self.sessions)
        report = await reconcile(self.sessions, self.blobs, now=datetime.now(UTC))
        report.finished_at = datetime.now(UTC)
        self.latest.report = report

    async def _repeat(
        self,
        chore: Chore,
        work: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        every_seconds: float,
    ) -> None:
        while not stop.is_set():
            try:
                async with turn(self.engine, chore) as is_ours:
                    if is_ours:
                        await work()
            except (Unavailable, TimedOut) as error:
                # Every chore is safe to repeat, so an outage only puts it off.
                log.warning("chore_postponed", chore=chore, **error.context)
            await _rest(stop, every_seconds)


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
