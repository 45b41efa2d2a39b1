"""Images past their deadline: each job that nobody holds any more is asked for again."""

from collections import Counter
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.job import develop_job
from darkroom.catalog.domain.overdue import START_WITHIN, Backlog, Remedy, decide
from darkroom.catalog.operations.metrics import OVERDUE
from darkroom.catalog.operations.results import finish
from darkroom.catalog.store.backlog import find_oldest_unsent
from darkroom.catalog.store.images import Images
from darkroom.contracts.jobs import JobRequestedV1, Lane
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outbox import record
from darkroom.platform.telemetry.logs import get_logger

# A few milliseconds each: the transaction stays well below the database's patience.
BATCH: Final = 100
LANE_SUBJECT: Final = f"{JobRequestedV1.subject}.{Lane.BULK}"

log = get_logger()


async def remedy_overdue(
    sessions: SessionFactory, bus: JetStream, *, now: datetime
) -> Counter[Remedy]:
    """Work through every overdue image, in batches of one transaction each."""
    backlog = await _read_backlog(sessions, bus)
    total = Counter[Remedy]()
    while True:
        async with transaction(sessions) as session:
            overdue = await Images(session).claim_overdue(now=now, limit=BATCH)
            applied = [await _apply(session, image, backlog, now) for image in overdue]
        total.update(applied)
        if len(overdue) < BATCH:
            break
    for remedy, count in total.items():
        OVERDUE.labels(remedy).inc(count)
    if total:
        log.info("overdue_remedied", **{remedy.value: count for remedy, count in total.items()})
    return total


async def _read_backlog(sessions: SessionFactory, bus: JetStream) -> Backlog:
    # The outbox first: a job sent in between is then seen at the broker, and never in neither.
    async with transaction(sessions) as session:
        oldest_unsent = await find_oldest_unsent(session, subject=LANE_SUBJECT)
    try:
        oldest_stored = await bus.oldest_pending(LANE_SUBJECT)
    except Unavailable:
        return Backlog(oldest_unsent, None, is_broker_known=False)
    return Backlog(oldest_unsent, oldest_stored, is_broker_known=True)


async def _apply(session: AsyncSession, image: Image, backlog: Backlog, now: datetime) -> Remedy:
    remedy = decide(image, backlog, now=now)
    deadline_at = now + START_WITHIN
    match remedy:
        case Remedy.EXPIRE:
            await finish(session, image, image.expire(now=now))
        case Remedy.RENEW:
            await Images(session).save(image, image.renew(now=now, deadline_at=deadline_at))
        case Remedy.WAIT:
            await Images(session).save(image, image.wait(deadline_at=deadline_at))
        case Remedy.REQUEUE:
            again = image.requeue(now=now, deadline_at=deadline_at)
            await Images(session).save(image, again)
            await record(session, develop_job(again))
            log.warning("image_requeued", image_id=str(image.id), attempt=again.attempt)
    return remedy
