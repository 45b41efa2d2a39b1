import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest_asyncio

from darkroom.contracts.event import Event
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import ImageFormat
from darkroom.contracts.jobs import (
    JobCompletedV1,
    JobFailedV1,
    JobKind,
    JobRequestedV1,
    JobStartedV1,
    Lane,
    WantedRendition,
)
from darkroom.contracts.recipes import Preset, develop_recipes
from darkroom.platform.messaging.consumer import Worker
from darkroom.platform.settings import S3Settings
from darkroom.platform.storage.blobs import BlobStore
from darkroom.processor.engines.sandbox import Engine
from darkroom.processor.events import subscriptions
from darkroom.processor.settings import ProcessorSettings
from darkroom.processor.wiring import Resources, open_resources
from darkroom.testing.own import OwnNats

RESULT_SECONDS = 20


@dataclass
class Studio:
    """A processor at work, and what it has told so far."""

    resources: Resources
    told: list[Event] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def blobs(self) -> BlobStore:
        return self.resources.ports.blobs

    async def hear(self, event: Event) -> None:
        self.told.append(event)
        self.heard.set()

    async def submit(self, content: bytes, *, sha256: str | None = None) -> JobRequestedV1:
        image_id = new_id()
        key = f"originals/2026/11/{image_id}"
        await self.blobs.put(key, content, media_type="application/octet-stream")
        job = JobRequestedV1(
            job_id=new_id(),
            kind=JobKind.DEVELOP,
            lane=Lane.BULK,
            attempt=1,
            image_id=image_id,
            account_id=new_id(),
            source_key=key,
            source_format=ImageFormat.JPEG,
            source_sha256=sha256 or hashlib.sha256(content).hexdigest(),
            renditions=tuple(
                WantedRendition(
                    name=name, recipe=recipe, key_stem=f"renditions/{image_id}/{recipe.digest()}"
                )
                for name, recipe in develop_recipes(Preset.OPTIMIZE).items()
            ),
        )
        await self.resources.bus.publish(job)
        return job

    def events(self, kind: type[Event], job: JobRequestedV1) -> list[Any]:
        return [
            e for e in self.told if isinstance(e, kind) and getattr(e, "job_id", None) == job.job_id
        ]

    async def result(self, job: JobRequestedV1) -> Any:
        async with asyncio.timeout(RESULT_SECONDS):
            while not (found := self._results(job)):
                self.heard.clear()
                await self.heard.wait()
        return found[0]

    def _results(self, job: JobRequestedV1) -> Sequence[Event]:
        return self.events(JobCompletedV1, job) + self.events(JobFailedV1, job)


@pytest_asyncio.fixture
async def processor_settings(
    nats_server: OwnNats, s3_settings: S3Settings, tmp_path: Path
) -> ProcessorSettings:
    return ProcessorSettings(
        nats=nats_server.settings, s3=s3_settings, scratch_dir=tmp_path, wall_seconds=2
    )


@pytest_asyncio.fixture
async def resources(processor_settings: ProcessorSettings) -> AsyncIterator[Resources]:
    async with open_resources(processor_settings, lanes=1) as resources:
        await resources.bus.wait_connected()
        yield resources


@pytest_asyncio.fixture
async def studio_with(
    resources: Resources,
) -> AsyncIterator[Callable[..., Any]]:
    stop, running = asyncio.Event(), []

    async def start(engine: Engine | None = None) -> Studio:
        studio = Studio(resources)
        for kind in (JobStartedV1, JobCompletedV1, JobFailedV1):
            await resources.bus.listen(kind, studio.hear)
        ports = replace(resources.ports, engine=engine or resources.sandbox)
        worker = Worker(resources.bus, subscriptions((Lane.BULK,), slots=1, ports=ports))
        running.append(asyncio.create_task(worker.run(stop)))
        return studio

    yield start
    stop.set()
    await asyncio.gather(*running)


@pytest_asyncio.fixture
async def idle_studio(resources: Resources) -> Studio:
    studio = Studio(resources)
    for kind in (JobStartedV1, JobCompletedV1, JobFailedV1):
        await resources.bus.listen(kind, studio.hear)
    return studio


@pytest_asyncio.fixture
async def studio(studio_with: Callable[..., Any]) -> Studio:
    started: Studio = await studio_with()
    return started
