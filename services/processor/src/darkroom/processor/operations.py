"""Verbs of the processor: develop an image, and tell what became of it."""

import asyncio
import hashlib
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from prometheus_client import Counter, Histogram

from darkroom.contracts.event import Event
from darkroom.contracts.jobs import (
    JobCompletedV1,
    JobFailedV1,
    JobRequestedV1,
    JobStartedV1,
)
from darkroom.platform.errors import BadReply, Unavailable
from darkroom.platform.storage.blobs import BlobMissing, BlobStore
from darkroom.platform.telemetry.logs import get_logger
from darkroom.processor.domain.verdict import PROBLEMS, Verdict
from darkroom.processor.engines.sandbox import ChildDied, ChildOverran, ChildStarved, Engine
from darkroom.processor.engines.scratch import Scratch, open_plain
from darkroom.processor.engines.shelf import Shelf, open_shelf
from darkroom.processor.pipeline import Developed, Request, develop

# A child may die of something else than its file, such as a neighbour's hunger for memory; twice
# in a row it is the file.
TRIES: Final = 2
# A child that starves says little: whoever ran short of memory or time may be the machine. Its
# job comes back later, and only from this delivery on is the file to blame.
BLAMED_FROM_DELIVERY: Final = 3

JOBS: Final = Counter("darkroom_jobs", "Jobs that reached a verdict.", ("lane", "verdict"))
PHASE_SECONDS: Final = Histogram(
    "darkroom_job_phase_seconds",
    "Time of a job by phase.",
    ("phase",),
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
log = get_logger()


class Publisher(Protocol):
    async def publish(self, event: Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Ports:
    blobs: BlobStore
    publisher: Publisher
    engine: Engine
    scratch: Scratch


class SourceDiffers(BadReply):
    """The store gave other bytes than were registered; the file itself is not to blame."""


async def develop_image(job: JobRequestedV1, *, delivery: int, ports: Ports) -> None:
    """Make every wanted rendition of a job's source and tell; a repeat writes the same objects."""
    clock = _Phases()
    with ports.scratch.folder() as folder:
        request = Request(folder / "source", folder, job.renditions)
        started = JobStartedV1(
            job_id=job.job_id, image_id=job.image_id, attempt=job.attempt, delivery=delivery
        )
        fetched = _fetch(job, request.source, ports.blobs)
        await _together(ports.publisher.publish(started), fetched)
        clock.lap("fetch")
        stems = {wanted.name: wanted.key_stem for wanted in job.renditions}
        async with open_shelf(folder, stems, ports.blobs) as shelf:
            # Decoding other bytes than registered does no harm in a child; telling of them would.
            child = _develop_in_child(request, ports.engine, shelf, delivery=delivery)
            developed, _ = await _together(child, _verify(job, request.source, shelf))
            clock.lap("develop")
            JOBS.labels(job.lane, developed.verdict).inc()
            result = await _concluded(job, developed, shelf)
            clock.lap("store")
        await ports.publisher.publish(result)
        clock.lap("tell")
    log.info(
        "job_done",
        image_id=str(job.image_id),
        attempt=job.attempt,
        verdict=developed.verdict,
        detail=developed.detail or None,
        child_ms=developed.duration_ms,
        **clock.milliseconds,
    )


async def _fetch(job: JobRequestedV1, source: Path, blobs: BlobStore) -> None:
    try:
        await blobs.fetch_to(job.source_key, source)
    except BlobMissing as error:
        # Somebody must look; but once the object is restored, the next try heals the image.
        log.error("source_missing", image_id=str(job.image_id), key=job.source_key)  # noqa: TRY400
        raise Unavailable(key=job.source_key) from error


async def _verify(job: JobRequestedV1, source: Path, shelf: Shelf) -> None:
    """Compare the source with what was registered; only then may anything made of it leave."""
    digest = await asyncio.to_thread(_sha256, source)
    if digest != job.source_sha256:
        raise SourceDiffers(key=job.source_key, expected=job.source_sha256, found=digest)
    shelf.open()


def _sha256(path: Path) -> str:
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _develop_in_child(
    request: Request, engine: Engine, shelf: Shelf, *, delivery: int
) -> Developed:
    lost = Developed(Verdict.CRASH)
    for attempt in range(1, TRIES + 1):
        try:
            async with shelf.watched():
                return await engine.run(develop, request)
        except ChildStarved as error:
            if delivery < BLAMED_FROM_DELIVERY:
                raise Unavailable("A child starved.", reason=str(error)) from error
            lost = Developed(Verdict.RESOURCES, str(error))
        except ChildOverran as error:
            lost = Developed(Verdict.RESOURCES, str(error))
        except ChildDied as error:
            lost = Developed(Verdict.CRASH, str(error))
        log.warning("child_lost", source=request.source.name, attempt=attempt, detail=lost.detail)
        await shelf.discard()
    return lost


async def _concluded(job: JobRequestedV1, developed: Developed, shelf: Shelf) -> Event:
    """See that what was made is stored, and return the event that says so."""
    if developed.verdict is not Verdict.OK or developed.findings is None:
        code, message = PROBLEMS[developed.verdict]
        return JobFailedV1(
            job_id=job.job_id,
            image_id=job.image_id,
            attempt=job.attempt,
            code=code,
            message=message,
        )
    return JobCompletedV1(
        job_id=job.job_id,
        image_id=job.image_id,
        attempt=job.attempt,
        duration_ms=developed.duration_ms,
        renditions=await shelf.keep(developed.renditions),
        findings=developed.findings,
    )


async def _together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run all at once; the first failure ends the others and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


class _Phases:
    """Measures a job's phases, for its log line and the histogram."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._at = time.perf_counter()

    def lap(self, phase: str) -> None:
        now = time.perf_counter()
        PHASE_SECONDS.labels(phase).observe(now - self._at)
        self.milliseconds[f"{phase}_ms"] = round(1000 * (now - self._at), 1)
        self._at = now
