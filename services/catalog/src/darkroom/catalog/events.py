"""What the catalog hears: the processor's results, each applied once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.operations.results import complete_job, fail_job, start_job
from darkroom.contracts.event import Event
from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1, JobStartedV1
from darkroom.platform.db.session import SessionFactory
from darkroom.platform.messaging.consumer import Subscription, transactional

CONSUMER: Final = "catalog"
# The names of our consumers at the broker; the sweep asks there what is still to be applied.
DURABLES: Final[Mapping[type[Event], str]] = MappingProxyType(
    {
        JobStartedV1: "catalog-jobs-started",
        JobCompletedV1: "catalog-jobs-completed",
        JobFailedV1: "catalog-jobs-failed",
    }
)


def subscriptions(sessions: SessionFactory, *, concurrency: int) -> tuple[Subscription[Any], ...]:
    return (
        Subscription(
            JobStartedV1,
            transactional(sessions, CONSUMER, on_job_started),
            durable=DURABLES[JobStartedV1],
            concurrency=concurrency,
        ),
        Subscription(
            JobCompletedV1,
            transactional(sessions, CONSUMER, on_job_completed),
            durable=DURABLES[JobCompletedV1],
            concurrency=concurrency,
        ),
        Subscription(
            JobFailedV1,
            transactional(sessions, CONSUMER, on_job_failed),
            durable=DURABLES[JobFailedV1],
            concurrency=concurrency,
        ),
    )


async def on_job_started(session: AsyncSession, event: JobStartedV1) -> None:
    await start_job(session, event, now=datetime.now(UTC))


async def on_job_completed(session: AsyncSession, event: JobCompletedV1) -> None:
    await complete_job(session, event, now=datetime.now(UTC))


async def on_job_failed(session: AsyncSession, event: JobFailedV1) -> None:
    await fail_job(session, event, now=datetime.now(UTC))
