import asyncio
import ctypes
import hashlib
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1, JobStartedV1
from darkroom.contracts.problems import ProblemCode
from darkroom.processor.engines.sandbox import Engine, Sandbox
from darkroom.processor.wiring import Resources
from darkroom.testing import pictures


class Sabotaged:
    """Runs something harmful in the real child for the first tasks, then what it is asked to."""

    def __init__(
        self, sandbox: Sandbox, function: Callable[[Any], Any], argument: object, times: int
    ) -> None:
        self._sandbox = sandbox
        self._harm = (function, argument)
        self._left = times

    async def run(self, function: Callable[[Any], Any], argument: Any) -> Any:
        if self._left:
            self._left -= 1
            return await self._sandbox.run(*self._harm)
        return await self._sandbox.run(function, argument)


async def test_a_job_is_started_developed_stored_and_told(studio: Any) -> None:
    job = await studio.submit(pictures.jpeg(800, 600, orientation=6))
    completed = await studio.result(job)
    assert isinstance(completed, JobCompletedV1)
    assert (completed.image_id, completed.attempt) == (job.image_id, 1)
    assert [started.delivery for started in studio.events(JobStartedV1, job)] == [1]
    assert [made.name for made in completed.renditions] == list(RenditionName)
    for wanted, made in zip(job.renditions, completed.renditions, strict=True):
        assert made.key == f"{wanted.key_stem}.{made.format.extension}"
        assert made.recipe_digest == wanted.recipe.digest()
        async with studio.blobs.open(made.key) as reader:
            content = b"".join([chunk async for chunk in reader.chunks()])
        assert hashlib.sha256(content).hexdigest() == made.sha256
        assert len(content) == made.size_bytes
    assert completed.renditions[1].format is ImageFormat.WEBP
    assert (completed.findings.width, completed.findings.height) == (800, 600)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: pictures.truncated(pictures.jpeg(), 0.5), ProblemCode.IMAGE_CORRUPT),
        (pictures.webp_bomb_40_bytes, ProblemCode.IMAGE_TOO_LARGE),
        (pictures.jpeg_scan_bomb, ProblemCode.IMAGE_TOO_COMPLEX),
        (pictures.svg, ProblemCode.UNSUPPORTED_FORMAT),
    ],
)
async def test_a_bad_file_fails_with_its_reason_and_the_next_one_is_fine(
    make: Callable[[], bytes], code: ProblemCode, studio: Any
) -> None:
    failed = await studio.result(await studio.submit(make()))
    assert isinstance(failed, JobFailedV1)
    assert failed.code is code
    assert failed.message.endswith(".")
    assert isinstance(await studio.result(await studio.submit(pictures.jpeg())), JobCompletedV1)


async def test_a_repeat_writes_the_same_objects_k_16(studio: Any) -> None:
    job = await studio.submit(pictures.jpeg())
    first = await studio.result(job)
    again = job.model_copy(update={"event_id": job.image_id, "attempt": 2})
    studio.told.clear()
    await studio.resources.bus.publish(again)
    second = await studio.result(again)
    assert second.attempt == 2
    assert second.renditions == first.renditions
    stored = [listed.key async for listed in studio.blobs.list(f"renditions/{job.image_id}/")]
    assert sorted(stored) == sorted(made.key for made in first.renditions)


async def test_a_decoder_that_dies_twice_fails_its_job_up_19(
    studio_with: Callable[..., Any], resources: Resources
) -> None:
    engine: Engine = Sabotaged(resources.sandbox, ctypes.string_at, 0, times=2)
    studio = await studio_with(engine)
    job = await studio.submit(pictures.jpeg())
    failed = await studio.result(job)
    assert failed.code is ProblemCode.IMAGE_UNREADABLE
    assert isinstance(await studio.result(await studio.submit(pictures.jpeg())), JobCompletedV1)
    assert len(studio.events(JobStartedV1, job)) == 1


async def test_a_decoder_that_dies_once_is_tried_again_at_once_up_19(
    studio_with: Callable[..., Any], resources: Resources
) -> None:
    studio = await studio_with(Sabotaged(resources.sandbox, ctypes.string_at, 0, times=1))
    job = await studio.submit(pictures.jpeg())
    assert isinstance(await studio.result(job), JobCompletedV1)
    assert len(studio.events(JobStartedV1, job)) == 1


async def test_a_child_killed_for_memory_waits_for_a_better_time_k_15(
    studio_with: Callable[..., Any], resources: Resources
) -> None:
    killed = Sabotaged(resources.sandbox, signal.raise_signal, signal.SIGKILL, times=2)
    studio = await studio_with(killed)
    job = await studio.submit(pictures.jpeg())
    assert isinstance(await studio.result(job), JobCompletedV1)
    assert [started.delivery for started in studio.events(JobStartedV1, job)] == [1, 2, 3]


async def test_a_child_killed_for_memory_in_every_delivery_is_too_complex_k_15(
    studio_with: Callable[..., Any], resources: Resources
) -> None:
    # One child in each of the first two deliveries, two in the one that decides.
    killed = Sabotaged(resources.sandbox, signal.raise_signal, signal.SIGKILL, times=4)
    studio = await studio_with(killed)
    job = await studio.submit(pictures.jpeg())
    failed = await studio.result(job)
    assert failed.code is ProblemCode.IMAGE_TOO_COMPLEX
    assert [started.delivery for started in studio.events(JobStartedV1, job)] == [1, 2, 3]


async def test_a_decoder_that_sleeps_frees_its_slot_and_is_too_complex_in_the_end_up_20(
    studio_with: Callable[..., Any], resources: Resources
) -> None:
    engine = Sabotaged(resources.sandbox, time.sleep, 60, times=4)  # noqa: TID251 - in the child
    studio = await studio_with(engine)
    job = await studio.submit(pictures.jpeg())
    started = time.perf_counter()
    failed = await studio.result(job)
    assert failed.code is ProblemCode.IMAGE_TOO_COMPLEX
    # Four tries of two seconds each and half a second to reap each child; 0.6 and 1.3 s at most
    # between the deliveries.
    assert time.perf_counter() - started < 15
    assert isinstance(await studio.result(await studio.submit(pictures.jpeg())), JobCompletedV1)


async def test_other_bytes_than_registered_fail_nothing(studio: Any) -> None:
    job = await studio.submit(pictures.jpeg(), sha256="0" * 64)
    await asyncio.sleep(2)
    # Tried again and again, never blamed on the file.
    assert len(studio.events(JobStartedV1, job)) >= 2
    assert not studio.events(JobFailedV1, job)
    assert not studio.events(JobCompletedV1, job)


async def test_scratch_is_empty_after_a_job(studio: Any) -> None:
    await studio.result(await studio.submit(pictures.jpeg()))
    await asyncio.sleep(0.1)
    root = studio.resources.ports.scratch.root
    assert [path.name for path in root.iterdir()] == ["lock"]
