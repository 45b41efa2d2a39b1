import asyncio
import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from darkroom.contracts.jobs import JobCompletedV1, JobFailedV1
from darkroom.platform.errors import Unavailable
from darkroom.processor.engines.sandbox import Sandbox
from darkroom.processor.engines.scratch import Scratch
from darkroom.processor.operations import SourceDiffers, develop_image
from darkroom.processor.wiring import Resources
from darkroom.testing import pictures


class _FullScratch(Scratch):
    """Its folders hold a device that is always full where the source is to be written."""

    is_full = True

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with super().folder() as folder:
            if self.is_full:
                (folder / "source").symlink_to("/dev/full")
            yield folder


async def test_full_scratch_space_delays_a_job_and_fails_none_h_01(
    idle_studio: Any, resources: Resources
) -> None:
    job = await idle_studio.submit(pictures.jpeg())
    scratch = _FullScratch(resources.ports.scratch.root)
    ports = replace(resources.ports, scratch=scratch)
    # However often it has been delivered: an outage is waited out, and never parks the job.
    with pytest.raises(Unavailable) as refused:
        await develop_image(job, delivery=9, ports=ports)
    assert "No space left" in str(refused.value.context)
    scratch.is_full = False
    await develop_image(job, delivery=10, ports=ports)
    assert isinstance(await idle_studio.result(job), JobCompletedV1)
    assert not idle_studio.events(JobFailedV1, job)


class _FullInChild:
    async def run(self, _function: Callable[[Any], Any], _argument: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_scratch_space_that_fills_up_under_a_child_delays_its_job_h_01(
    idle_studio: Any, resources: Resources
) -> None:
    job = await idle_studio.submit(pictures.jpeg())
    with pytest.raises(Unavailable):
        await develop_image(job, delivery=9, ports=replace(resources.ports, engine=_FullInChild()))


async def test_a_missing_source_is_waited_for_and_said_loudly(
    idle_studio: Any, resources: Resources
) -> None:
    content = pictures.jpeg()
    job = await idle_studio.submit(content)
    await idle_studio.blobs.delete(job.source_key)
    with pytest.raises(Unavailable), structlog.testing.capture_logs() as logs:
        await develop_image(job, delivery=9, ports=resources.ports)
    assert [(line["event"], line["log_level"]) for line in logs] == [("source_missing", "error")]
    await idle_studio.blobs.put(job.source_key, content, media_type="image/jpeg")
    await develop_image(job, delivery=10, ports=resources.ports)
    assert isinstance(await idle_studio.result(job), JobCompletedV1)


class _Crashing:
    """Develops, leaves what was made, and dies each time before it can tell."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def run(self, function: Callable[[Any], Any], argument: Any) -> Any:
        await self._sandbox.run(function, argument)
        # Long enough for the files to be seen and sent.
        await asyncio.sleep(0.1)
        return await self._sandbox.run(ctypes.string_at, 0)


async def test_a_duplicate_that_fails_destroys_nothing_of_a_ready_image_k_16(
    idle_studio: Any, resources: Resources
) -> None:
    job = await idle_studio.submit(pictures.jpeg())
    await develop_image(job, delivery=1, ports=resources.ports)
    completed = await idle_studio.result(job)
    crashing = _Crashing(resources.sandbox)
    await develop_image(job, delivery=2, ports=replace(resources.ports, engine=crashing))
    assert idle_studio.events(JobFailedV1, job)
    for made in completed.renditions:
        stored = await idle_studio.blobs.head(made.key)
        assert stored is not None
        assert stored.size_bytes == made.size_bytes


async def test_other_bytes_than_registered_overwrite_no_rendition(
    idle_studio: Any, resources: Resources
) -> None:
    job = await idle_studio.submit(pictures.jpeg(800, 600))
    await develop_image(job, delivery=1, ports=resources.ports)
    completed = await idle_studio.result(job)
    before = [await idle_studio.blobs.head(made.key) for made in completed.renditions]
    # The tail takes longer to digest than the small picture to develop.
    other = pictures.jpeg(400, 300) + bytes(60_000_000)
    await idle_studio.blobs.put(job.source_key, other, media_type="image/jpeg")
    with pytest.raises(SourceDiffers):
        await develop_image(job, delivery=2, ports=resources.ports)
    after = [await idle_studio.blobs.head(made.key) for made in completed.renditions]
    assert after == before
