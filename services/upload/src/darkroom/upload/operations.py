"""What the service does with an upload once its bytes are here."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import Counter, Histogram

from darkroom.contracts.ids import new_id
from darkroom.contracts.registration import RegisteredImage, RegisterImage
from darkroom.platform.errors import (
    BadReply,
    Broken,
    Rejected,
    ServiceError,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.setup import tracer
from darkroom.upload.domain.errors import CatalogUnavailable
from darkroom.upload.domain.inspection import Inspection, inspect_file
from darkroom.upload.domain.submission import Submission
from darkroom.upload.domain.upload import Upload
from darkroom.upload.domain.verdict import Picture
from darkroom.upload.store.originals import Originals
from darkroom.upload.store.registry import Registry
from darkroom.upload.store.spool import Spooled

# The effect of a call that ended in one of these is unknown or none; registration is idempotent.
UNCERTAIN: Final = (Unavailable, TimedOut, BadReply, Broken)
# A catalog that restarts is back within seconds, so the first tries come soon.
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 1.0

UPLOAD_STEP_SECONDS: Final = Histogram(
    "darkroom_upload_step_seconds", "Time one step of an upload took.", ("step",)
)
UPLOAD_BYTES: Final = Counter("darkroom_upload_bytes", "Bytes of accepted files.", ("format",))

log = get_logger()


@dataclass(frozen=True, slots=True)
class Ports:
    originals: Originals
    registry: Registry
    register_deadline_seconds: float


@dataclass(slots=True)
class Registration:
    """Making one image of one upload, in as many attempts as it takes until the deadline."""

    ports: Ports
    upload: Upload
    image: RegisterImage
    passport: str
    # Once an attempt ended without an answer, not even a refusal of the next proves it undone.
    may_have_worked: bool = False

    async def run(self) -> RegisteredImage:
        """Register, and again until the deadline while it is not known whether that worked."""
        pause = FIRST_PAUSE_SECONDS
        try:
            async with asyncio.timeout(self.ports.register_deadline_seconds):
                while True:
                    try:
                        return await self._attempt()
                    except UNCERTAIN as error:
                        self._note(error)
                    # Spread out, so that uploads that failed together do not come back together.
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        except TimeoutError as error:
            raise CatalogUnavailable(upload_id=str(self.upload.upload_id)) from error

    async def _attempt(self) -> RegisteredImage:
        registry, upload_id = self.ports.registry, self.upload.upload_id
        return await registry.register(upload_id, self.image, passport=self.passport)

    def _note(self, error: ServiceError) -> None:
        self.may_have_worked = True
        log.warning("registration_uncertain", error=repr(error), context=error.context)


async def accept_upload(
    ports: Ports, spooled: Spooled, submission: Submission, *, passport: str, now: datetime
) -> RegisteredImage:
    """Check a file, store it and make an image of it.

    Whatever is refused leaves nothing behind, but for one case: after an attempt to register that
    may have worked unheard, the original stays, for it may be an image's. Reconciling tells.
    """
    with step("inspect"):
        inspection = await asyncio.to_thread(_inspect, spooled)
    upload = Upload(upload_id=new_id(), image_id=new_id(), begun_at=now)
    image = _describe(upload, spooled, inspection.require_picture(), submission)
    registration = Registration(ports, upload, image, passport=passport)
    try:
        await _stage(ports, upload, image, spooled=spooled, passport=passport)
        with step("keep"):
            await ports.originals.keep(upload, image.size_bytes)
        with step("register"):
            registered = await registration.run()
    except Rejected:
        await ports.originals.remove(upload.staging_key)
        if not registration.may_have_worked:
            await ports.originals.remove(upload.original_key)
        raise
    ports.originals.remove_later(upload.staging_key)
    UPLOAD_BYTES.labels(image.format).inc(image.size_bytes)
    log.info("upload_accepted", upload_id=str(upload.upload_id), image_id=str(upload.image_id))
    return registered


@contextmanager
def step(name: str) -> Iterator[None]:
    """Measure one step, in a span of its own."""
    started_at = time.perf_counter()
    with tracer().start_as_current_span(f"upload.{name}"):
        try:
            yield
        finally:
            UPLOAD_STEP_SECONDS.labels(name).observe(time.perf_counter() - started_at)


def _inspect(spooled: Spooled) -> Inspection:
    with spooled.path.open("rb") as file:
        return inspect_file(file, spooled.size_bytes)


def _describe(
    upload: Upload, spooled: Spooled, picture: Picture, submission: Submission
) -> RegisterImage:
    return RegisterImage(
        image_id=upload.image_id,
        original_key=upload.original_key,
        sha256=spooled.sha256,
        size_bytes=spooled.size_bytes,
        format=picture.format,
        width=picture.width,
        height=picture.height,
        frames=picture.frames,
        original_filename=submission.filename,
        album_id=submission.album_id,
        preset=submission.preset,
        visibility=submission.visibility,
        title=submission.title,
        tags=submission.tags,
    )


async def _stage(
    ports: Ports, upload: Upload, image: RegisterImage, *, spooled: Spooled, passport: str
) -> None:
    """Put the bytes while catalog is asked whether the album would take them."""
    check = asyncio.create_task(_check_album(ports, image.album_id, passport=passport))
    try:
        with step("stage"):
            await ports.originals.stage(upload, spooled, media_type=image.format.media_type)
        await check
    finally:
        check.cancel()
        await asyncio.gather(check, return_exceptions=True)


async def _check_album(ports: Ports, album_id: str | None, *, passport: str) -> None:
    """Raise when the album is not the caller's; registration decides where this cannot tell."""
    if album_id is None:
        return
    try:
        await ports.registry.check_album(album_id, passport=passport)
    except (*UNCERTAIN, Unauthenticated) as error:
        # A slow upload outlives its passport; only registration has leeway for that.
        log.info("album_check_skipped", error=repr(error))
