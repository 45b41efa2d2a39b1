"""Images past their deadline: each job that nobody holds any more is asked for again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.job import develop_job
from darkroom.catalog.domain.overdue import LIFETIME, Backlog, Remedy, is_late
from darkroom.catalog.operations.metrics import OVERDUE
from darkroom.catalog.operations.results import finish
from darkroom.catalog.store.backlog import find_oldest_unsent
from darkroom.catalog.store.images import Images
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outbox import record
from darkroom.platform.messaging.standing import oldest_pending
from darkroom.platform.telemetry.logs import get_logger

# A few milliseconds each: the transaction stays well below the database's patience.
BATCH: Final = 100
LANE_SUBJECT: Final = f"{JobRequestedV1.subject}.{Lane.BULK}"

log = get_logger()


@dataclass(slots=True)
class Remedies:
    """Remember between two looks how late the outbox has been; unknown times count as late."""

    sessions: SessionFactory
    bus: JetStream
    outbox_late_until: datetime

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
        # The outbox first: a job sent in between is then seen at the broker, and never in neither.
        async with transaction(self.sessions) as session:
            oldest_unsent = await find_oldest_unsent(session, subject=LANE_SUBJECT)
        if is_late(oldest_unsent, now=now):
            self.outbox_late_until = now
        try:
            oldest_stored = await oldest_pending(self.bus, LANE_SUBJECT)
        except Unavailable:
            log.info("broker_not_asked")
            return None
        return Backlog(oldest_unsent, oldest_stored, self.outbox_late_until).lost_before(now)


async def _remedy(session: AsyncSession, image: Image, now: datetime) -> Remedy:
    if now - image.created_at >= LIFETIME:
        await finish(session, image, image.expire(now=now))
        return Remedy.EXPIRE
    again = image.requeue(now=now)
    await Images(session).save(image, again)
    await record(session, develop_job(again))
    log.warning("image_requeued", image_id=str(image.id), attempt=again.attempt)
    return Remedy.REQUEUE
