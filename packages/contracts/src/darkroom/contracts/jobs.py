"""Jobs: what catalog asks of the processor, and what the processor answers."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from darkroom.contracts.event import Event
from darkroom.contracts.images import ImageFormat, RenditionName
from darkroom.contracts.problems import ProblemCode
from darkroom.contracts.recipes import Recipe


class JobKind(StrEnum):
    """Name one unit of work for the processor."""

    DEVELOP = "develop"


class Lane(StrEnum):
    """Name a queue class with its own capacity."""

    INTERACTIVE = "interactive"
    BULK = "bulk"
    ANALYSIS = "analysis"


class WantedRendition(BaseModel):
    """Ask for one rendition: under what name, by what recipe, stored under which key stem.

    The processor appends the extension of the format it wrote: `{key_stem}.{ext}`.
    """

    model_config = ConfigDict(frozen=True)

    name: RenditionName
    recipe: Recipe
    key_stem: str


class MadeRendition(BaseModel):
    """Describe one stored rendition: size in bytes, pixels, SHA-256 of the stored bytes in hex."""

    model_config = ConfigDict(frozen=True)

    name: RenditionName
    recipe_digest: str
    key: str
    format: ImageFormat
    width: int
    height: int
    size_bytes: int
    sha256: str


class Findings(BaseModel):
    """Hold what was learnt from the upright, sRGB pixels of the first frame.

    `palette`: `#rrggbb`, heaviest first. `phash`: 64 hex characters (PDQ) with its 0-100 quality.
    `thumbhash`: base64. Width and height are those of the upright picture.
    """

    model_config = ConfigDict(frozen=True)

    width: int
    height: int
    frames: int = 1
    has_alpha: bool = False
    blurhash: str
    thumbhash: str
    palette: tuple[str, ...]
    phash: str
    phash_quality: int


class JobRequestedV1(Event, subject="darkroom.jobs.requested.v1"):
    """Catalog wants a job done. `attempt` fences: an older start or failure changes nothing."""

    job_id: UUID
    kind: JobKind
    lane: Lane
    attempt: int = Field(ge=1)
    image_id: UUID
    account_id: UUID
    source_key: str
    source_format: ImageFormat
    source_sha256: str
    renditions: tuple[WantedRendition, ...]

    @property
    def route(self) -> str:
        """Return the subject of the job's lane."""
        return f"{self.subject}.{self.lane}"


class JobStartedV1(Event, subject="darkroom.jobs.started.v1"):
    """A processor took the job, before it decodes a byte; `delivery` counts the broker's tries."""

    job_id: UUID
    image_id: UUID
    attempt: int
    delivery: int


class JobCompletedV1(Event, subject="darkroom.jobs.completed.v1"):
    """Every wanted rendition is stored. `duration_ms` covers decode to last encode in the child."""

    job_id: UUID
    image_id: UUID
    attempt: int
    duration_ms: int
    renditions: tuple[MadeRendition, ...]
    findings: Findings


class JobFailedV1(Event, subject="darkroom.jobs.failed.v1"):
    """The source cannot be developed, by its own content; never said of infrastructure."""

    job_id: UUID
    image_id: UUID
    attempt: int
    code: ProblemCode
    message: str
