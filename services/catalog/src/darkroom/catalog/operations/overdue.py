"""Images past their deadline: each job that nobody holds any more is asked for again."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.job import develop_job
from darkroom.catalog.domain.overdue import LIFETIME, Backlog, Remedy, watch
from darkroom.catalog.operations.metrics import OVERDUE
from darkroom.catalog.operations.results import finish
from darkroom.catalog.store.backlog import find_oldest_unsent, find_watch, save_watch
from darkroom.catalog.store.images import Images
from darkroom.contracts.jobs import JobCompletedV1, JobRequestedV1, Lane
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outbox import record
from darkroom.platform.messaging.standing import has_settled, newest_position, oldest_pending
from darkroom.platform.telemetry.logs import get_logger

# A few milliseconds each: the transaction stays well below the database's patience.
BATCH: Final = 100
LANE_SUBJECT: Final = f"{JobRequestedV1.subject}.{Lane.BULK}"
# Results are applied within milliseconds: asked ten times, a healthy worker has come past what
# was there at the first. Together two seconds, well below the interval and the time to leave.
ASKED_FOR_RESULTS: Final = 10
ASKED_EVERY_SECONDS: Final = 0.2

log = get_logger()


@dataclass(frozen=True, slots=True)
class Remedies:
    """Ask again for what is lost. `results` names the consumers of results and their subjects."""

    sessions: SessionFactory
    bus: JetStream
    results: Mapping[str, str]

    async def apply(self, *, now: datetime) -> Mapping[Remedy, int]:
        """Work through every image that is lost or out of time, a batch a transaction."""
        lost_before = await self._find_lost_before(now)
        total = Counter[Remedy]()
        while True:
            async with transaction(self.sessions) as session:
                overdue = await Images(session).claim_overdue(
                    now=now, lost_before=lost_before, made_before=now - LIFETIME, limit=BATCH
                )
                total.update([await _remedy(session, image, now) for image in overdue])
            if len(overdue) < BATCH:
                break
        for remedy, count in total.items():
            OVERDUE.labels(remedy).inc(count)
        return total

    async def _find_lost_before(self, now: datetime) -> datetime | None:
        # In the order a job travels: what moves on in between is seen at its next place. First the
        # outbox, then the lane it is sent to, then the results that made it leave the lane.
        async with transaction(self.sessions) as session:
            oldest_unsent = await find_oldest_unsent(session, subject=LANE_SUBJECT)
            watched = watch(await find_watch(session), oldest_unsent, now=now)
            await save_watch(session, watched)
        try:
            oldest_stored = await oldest_pending(self.bus, LANE_SUBJECT)
            if not await self._are_results_applied():
                log.info("results_waiting")
                return None
        except Unavailable:
            log.info("broker_not_asked")
            return None
        return Backlog(oldest_unsent, oldest_stored, watched.late_until).lost_before(now)

    async def _are_results_applied(self) -> bool:
        """Tell whether every result stored so far is applied; later ones are of jobs still held."""
        until = await newest_position(self.bus, JobCompletedV1.subject)
        waiting = dict(self.results)
        for _ in range(ASKED_FOR_RESULTS):
            for durable, subject in tuple(waiting.items()):
                if await has_settled(self.bus, durable, subject=subject, until=until):
                    del waiting[durable]
            if not waiting:
                return True
            await asyncio.sleep(ASKED_EVERY_SECONDS)
        return False


async def _remedy(session: AsyncSession, image: Image, now: datetime) -> Remedy:
    if now - image.created_at >= LIFETIME:
        await finish(session, image, image.expire(now=now))
        return Remedy.EXPIRE
    again = image.requeue(now=now)
    await Images(session).save(image, again)
    await record(session, develop_job(again))
    log.warning("image_requeued", image_id=str(image.id), attempt=again.attempt)
    return Remedy.REQUEUE
