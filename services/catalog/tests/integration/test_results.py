import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from darkroom.catalog.domain.image import Image
from darkroom.catalog.events import CONSUMER, on_job_completed, on_job_failed, on_job_started
from darkroom.catalog.store.images import Images
from darkroom.catalog.store.tables import album_counts, images, inbox, outbox, renditions
from darkroom.contracts.event import Event
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageFailedV1, ImageReadyV1, ImageStatus
from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1, JobStartedV1
from darkroom.contracts.problems import ProblemCode
from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.errors import Broken
from darkroom.platform.messaging.consumer import Delivery, transactional

Make = Callable[..., Awaitable[Image]]
Completed = Callable[..., JobCompletedV1]
APPLY: dict[type[Event], Any] = {
    JobStartedV1: on_job_started,
    JobCompletedV1: on_job_completed,
    JobFailedV1: on_job_failed,
}


def started(image: Image, attempt: int = 1) -> JobStartedV1:
    return JobStartedV1(job_id=image.job_id, image_id=image.id, attempt=attempt, delivery=1)


def failed(image: Image, attempt: int = 1) -> JobFailedV1:
    return JobFailedV1(
        job_id=image.job_id,
        image_id=image.id,
        attempt=attempt,
        code=ProblemCode.IMAGE_CORRUPT,
        message="It is damaged.",
    )


@pytest.fixture
def hear(sessions: SessionFactory) -> Callable[[Event], Awaitable[None]]:
    async def progress() -> None:
        return

    async def deliver(event: Event) -> None:
        handler = transactional(sessions, CONSUMER, APPLY[type(event)])
        await handler(event, Delivery(1, {}, progress))

    return deliver


@pytest.fixture
def reload(sessions: SessionFactory) -> Callable[[Image], Awaitable[Image]]:
    async def load(image: Image) -> Image:
        async with transaction(sessions) as session:
            return await Images(session).get(image.id, owner=image.owner)

    return load


@pytest.fixture
def announced(sessions: SessionFactory) -> Callable[[], Awaitable[list[Event]]]:
    async def read() -> list[Event]:
        subjects: dict[str, type[Event]] = {
            ImageReadyV1.subject: ImageReadyV1,
            ImageFailedV1.subject: ImageFailedV1,
        }
        query = select(outbox).where(outbox.c.subject.in_(subjects)).order_by(outbox.c.position)
        async with sessions() as session:
            rows = (await session.execute(query)).all()
        return [subjects[row.subject].decode(row.payload) for row in rows]

    return read


@pytest_asyncio.fixture
async def counts_agree(sessions: SessionFactory) -> AsyncIterator[None]:
    yield
    async with sessions() as session:
        counted = (await session.execute(select(album_counts))).all()
        rows = (await session.execute(select(images.c.album_id, images.c.status))).all()
    kept = {(row.album_id, row.status): row.images for row in counted if row.images}
    true: dict[Any, int] = {}
    for row in rows:
        true[row.album_id, row.status] = true.get((row.album_id, row.status), 0) + 1
    assert kept == true


pytestmark = pytest.mark.usefixtures("counts_agree")


async def test_a_job_moves_its_image_from_queued_to_ready(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    image = await register()
    await hear(started(image))
    working = await reload(image)
    assert working.status is ImageStatus.PROCESSING
    assert working.deadline_at > image.deadline_at
    await hear(completed(image))
    ready = await reload(image)
    assert (ready.status, ready.processing_duration_ms) == (ImageStatus.READY, 120)
    assert {made.name for made in ready.renditions} == {"processed", "thumbnail"}
    assert ready.findings is not None
    (event,) = await announced()
    assert (event.image_id, event.version) == (image.id, ready.version)


async def test_ev_03_the_same_event_a_thousand_times_has_one_effect(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    image = await register()
    event = completed(image)
    for _ in range(20):
        await asyncio.gather(*(hear(event) for _ in range(50)))
    assert (await reload(image)).version == 2
    assert len(await announced()) == 1


async def test_ev_03_the_same_result_after_the_inbox_has_forgotten_it_has_one_effect(
    hear: Any,
    reload: Any,
    announced: Any,
    register: Make,
    completed: Completed,
    sessions: SessionFactory,
) -> None:
    image = await register()
    event = completed(image)
    await hear(event)
    before = await reload(image)
    async with transaction(sessions) as session:
        await session.execute(inbox.delete())
    await hear(event)
    assert await reload(image) == before
    assert len(await announced()) == 1


async def test_ev_04_a_result_may_come_before_the_notice_that_work_began(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    image = await register()
    await hear(completed(image))
    await hear(started(image))
    assert (await reload(image)).status is ImageStatus.READY
    assert len(await announced()) == 1


async def test_ev_04_a_final_status_never_changes(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    ready, broken = await register(), await register()
    await hear(completed(ready))
    await hear(failed(broken))
    before = [await reload(ready), await reload(broken)]
    for image in (ready, broken):
        for late in (started(image, 9), failed(image, 9), completed(image, attempt=9)):
            await hear(late)
    assert [await reload(ready), await reload(broken)] == before
    assert [event.subject for event in await announced()] == [
        ImageReadyV1.subject,
        ImageFailedV1.subject,
    ]


@pytest.fixture
def requeue(sessions: SessionFactory) -> Callable[[Image], Awaitable[Image]]:
    async def again(image: Image) -> Image:
        async with transaction(sessions) as session:
            after = image.requeue(now=datetime.now(UTC))
            await Images(session).save(image, after)
        return after

    return again


async def test_k_18_k_19_an_older_attempt_s_start_and_failure_change_nothing(
    hear: Any, reload: Any, register: Make, requeue: Any, completed: Completed
) -> None:
    image = await register()
    again = await requeue(image)
    for late in (started(image, 1), failed(image, 1)):
        await hear(late)
    assert await reload(image) == again
    await hear(completed(image, attempt=2))
    assert (await reload(image)).status is ImageStatus.READY


async def test_k_18_k_19_whichever_attempt_completes_first_counts_and_no_other(
    hear: Any, reload: Any, announced: Any, register: Make, requeue: Any, completed: Completed
) -> None:
    image = await register()
    await requeue(image)
    await hear(completed(image, attempt=1))
    ready = await reload(image)
    assert (ready.status, ready.attempt) == (ImageStatus.READY, 2)
    for late in (started(image, 2), failed(image, 2), completed(image, attempt=2)):
        await hear(late)
    assert await reload(image) == ready
    assert len(await announced()) == 1


async def test_results_of_unknown_images_and_foreign_jobs_are_let_go(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    image = await register()
    await hear(completed(image, image_id=new_id()))
    await hear(completed(image, job_id=new_id()))
    assert (await reload(image)).status is ImageStatus.QUEUED
    assert await announced() == []


async def test_a_result_that_lacks_a_rendition_changes_nothing_at_all(
    hear: Any,
    reload: Any,
    register: Make,
    completed: Completed,
    sessions: SessionFactory,
) -> None:
    image = await register()
    whole = completed(image)
    with pytest.raises(Broken):
        await hear(whole.model_copy(update={"renditions": whole.renditions[:1]}))
    assert (await reload(image)).status is ImageStatus.QUEUED
    async with sessions() as session:
        assert (await session.execute(select(renditions))).all() == []
        assert (await session.execute(select(inbox))).all() == []


async def test_rival_results_side_by_side_leave_one_final_status(
    hear: Any, reload: Any, announced: Any, register: Make, completed: Completed
) -> None:
    rows = [await register() for _ in range(20)]
    rivals = [
        event for image in rows for event in (started(image), completed(image), failed(image))
    ]
    await asyncio.gather(*(hear(event) for event in rivals))
    after = [await reload(image) for image in rows]
    assert all(image.status.is_terminal for image in after)
    assert len(await announced()) == len(rows)
