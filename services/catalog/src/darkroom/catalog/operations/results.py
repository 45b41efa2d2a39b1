"""Applying what the processor says; late and repeated results change nothing."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.image import Command, Failure, Image
from darkroom.catalog.domain.text import clean_text
from darkroom.catalog.operations.metrics import IMAGE_SECONDS, IMAGES_FINISHED, RESULTS_IGNORED
from darkroom.catalog.store.images import Images
from darkroom.contracts.event import Event
from darkroom.contracts.images import ImageFailedV1, ImageReadyV1, ImageStatus
from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1, JobStartedV1
from darkroom.platform.messaging.outbox import record
from darkroom.platform.telemetry.logs import get_logger

# A sentence; what a decoder says of a hostile file may be a page.
LONGEST_MESSAGE: Final = 500

log = get_logger()

Result = JobStartedV1 | JobCompletedV1 | JobFailedV1


async def start_job(session: AsyncSession, event: JobStartedV1, *, now: datetime) -> None:
    image = await _find_movable(session, event, Command.START)
    if image is not None:
        await Images(session).save(image, image.start(now=now))


async def complete_job(session: AsyncSession, event: JobCompletedV1, *, now: datetime) -> None:
    image = await _find_movable(session, event, Command.COMPLETE)
    if image is not None:
        await finish(session, image, image.complete(event, now=now))


async def fail_job(session: AsyncSession, event: JobFailedV1, *, now: datetime) -> None:
    image = await _find_movable(session, event, Command.FAIL)
    if image is not None:
        failure = Failure(event.code, clean_text(event.message, longest=LONGEST_MESSAGE) or "")
        await finish(session, image, image.fail(failure, now=now))


async def finish(session: AsyncSession, before: Image, after: Image) -> None:
    """Save a final status and tell the world, in one transaction."""
    await Images(session).save(before, after)
    await record(session, _announcement(after))
    code = "" if after.failure is None else after.failure.code
    IMAGES_FINISHED.labels(after.status, code).inc()
    if after.processed_at is not None:
        IMAGE_SECONDS.observe((after.processed_at - after.created_at).total_seconds())
    log.info("image_finished", image_id=str(after.id), status=after.status, code=code)


async def _find_movable(session: AsyncSession, event: Result, command: Command) -> Image | None:
    image = await Images(session).find_for_update(event.image_id)
    if image is not None and image.may(command, job_id=event.job_id, attempt=event.attempt):
        return image
    RESULTS_IGNORED.labels(command).inc()
    log.info(
        "result_ignored",
        fact=command,
        image_id=str(event.image_id),
        attempt=event.attempt,
        status="absent" if image is None else image.status,
        current_attempt=None if image is None else image.attempt,
    )
    return None


def _announcement(image: Image) -> Event:
    account_id = image.owner.account_id
    if image.status is ImageStatus.READY:
        return ImageReadyV1(image_id=image.id, account_id=account_id, version=image.version)
    code = "" if image.failure is None else image.failure.code
    return ImageFailedV1(image_id=image.id, account_id=account_id, version=image.version, code=code)
