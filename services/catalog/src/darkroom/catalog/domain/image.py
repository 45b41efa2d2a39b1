"""An image, and the one table of how its status may move."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from darkroom.catalog.domain.errors import RenditionsIncompleteError
from darkroom.catalog.domain.overdue import patience
from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.images import ImageFormat, ImageStatus, RenditionName, Visibility
from darkroom.contracts.jobs import Findings, JobCompletedV1, MadeRendition
from darkroom.contracts.problems import ProblemCode
from darkroom.contracts.recipes import Preset, develop_recipes
from darkroom.contracts.surfaces import Surface
from darkroom.platform.errors import Broken


class Command(StrEnum):
    START = "start"
    REQUEUE = "requeue"
    COMPLETE = "complete"
    FAIL = "fail"
    EXPIRE = "expire"


# Status never goes back: a job asked for again leaves an image where it is. `ready` and `failed`
# have no rows, so nothing moves them. A result may overtake the notice that the job was started.
TRANSITIONS: Final[Mapping[tuple[ImageStatus, Command], ImageStatus]] = MappingProxyType(
    {
        (ImageStatus.QUEUED, Command.START): ImageStatus.PROCESSING,
        (ImageStatus.QUEUED, Command.REQUEUE): ImageStatus.QUEUED,
        (ImageStatus.QUEUED, Command.COMPLETE): ImageStatus.READY,
        (ImageStatus.QUEUED, Command.FAIL): ImageStatus.FAILED,
        (ImageStatus.QUEUED, Command.EXPIRE): ImageStatus.FAILED,
        (ImageStatus.PROCESSING, Command.START): ImageStatus.PROCESSING,
        (ImageStatus.PROCESSING, Command.REQUEUE): ImageStatus.PROCESSING,
        (ImageStatus.PROCESSING, Command.COMPLETE): ImageStatus.READY,
        (ImageStatus.PROCESSING, Command.FAIL): ImageStatus.FAILED,
        (ImageStatus.PROCESSING, Command.EXPIRE): ImageStatus.FAILED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The owner's bytes as stored; width and height before orientation is applied."""

    key: str
    sha256: str
    size_bytes: int
    format: ImageFormat
    filename: str | None
    width: int
    height: int
    frames: int


@dataclass(frozen=True, slots=True)
class Failure:
    code: ProblemCode
    message: str


EXPIRED: Final = Failure(
    ProblemCode.PROCESSING_EXPIRED, "The image could not be processed within a day."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """`attempt` fences what is said of its job; `url_version` is part of every capability link."""

    id: UUID
    owner: Owner
    surface: Surface
    upload_id: UUID
    album_id: UUID
    album_seq: int
    status: ImageStatus
    job_id: UUID
    attempt: int
    preset: Preset
    enqueued_at: datetime
    deadline_at: datetime
    version: int
    url_version: int
    visibility: Visibility
    title: str | None
    tags: tuple[str, ...]
    original: Original
    renditions: tuple[MadeRendition, ...] = ()
    findings: Findings | None = None
    failure: Failure | None = None
    processing_duration_ms: int | None = None
    created_at: datetime
    processed_at: datetime | None = None

    def rendition(self, name: RenditionName) -> MadeRendition | None:
        return next((made for made in self.renditions if made.name is name), None)

    def may(self, command: Command, *, job_id: UUID, attempt: int) -> bool:
        """Tell whether the command moves this image, or came too late to change anything."""
        # Every attempt stores the same renditions under the same keys: whichever ends first ends
        # the job. A start or a failure speaks of its own attempt only.
        is_current = command is Command.COMPLETE or attempt >= self.attempt
        return is_current and job_id == self.job_id and (self.status, command) in TRANSITIONS

    def start(self, *, now: datetime) -> "Image":
        return self._move(Command.START, deadline_at=now + patience(self.attempt))

    def requeue(self, *, now: datetime) -> "Image":
        attempt = self.attempt + 1
        deadline_at = now + patience(attempt)
        return self._move(
            Command.REQUEUE, attempt=attempt, enqueued_at=now, deadline_at=deadline_at
        )

    def complete(self, result: JobCompletedV1, *, now: datetime) -> "Image":
        wanted = develop_recipes(self.preset).keys()
        if wanted - {made.name for made in result.renditions}:
            raise RenditionsIncompleteError(image_id=self.id, job_id=self.job_id)
        return self._move(
            Command.COMPLETE,
            renditions=result.renditions,
            findings=result.findings,
            processing_duration_ms=result.duration_ms,
            processed_at=now,
        )

    def fail(self, failure: Failure, *, now: datetime) -> "Image":
        return self._move(Command.FAIL, failure=failure, processed_at=now)

    def expire(self, *, now: datetime) -> "Image":
        return self._move(Command.EXPIRE, failure=EXPIRED, processed_at=now)

    def _move(self, command: Command, **changes: object) -> "Image":
        status = TRANSITIONS.get((self.status, command))
        if status is None:
            raise Broken(image_id=self.id, status=self.status, command=command)
        version = self.version + (status is not self.status)
        return replace(self, status=status, version=version, **changes)  # type: ignore[arg-type]
