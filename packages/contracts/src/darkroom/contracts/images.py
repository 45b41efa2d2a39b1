"""What an image is to every service: its words, its formats, and the facts told about it."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from darkroom.contracts.event import Event
from darkroom.contracts.surfaces import Stage, Surface


class ImageStatus(StrEnum):
    """Say how far an image has come; `ready` and `failed` are final."""

    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Tell whether no further result may change the image."""
        return self in {ImageStatus.READY, ImageStatus.FAILED}


class Visibility(StrEnum):
    """Say who may see an image besides its owner; unlisted means by link, in no list."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


class ImageFormat(StrEnum):
    """Name a format by content; the only ones Darkroom decodes."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    AVIF = "avif"
    HEIC = "heic"
    TIFF = "tiff"
    BMP = "bmp"

    @property
    def media_type(self) -> str:
        """Return the media type from our own table, never the client's."""
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        """Return the file extension used in URLs and keys."""
        return _EXTENSIONS.get(self, self.value)


_EXTENSIONS: Final = {ImageFormat.JPEG: "jpg", ImageFormat.TIFF: "tif"}


class RenditionName(StrEnum):
    """Name a stored result derived from the original."""

    PROCESSED = "processed"
    THUMBNAIL = "thumbnail"


class ImageRegisteredV1(Event, subject="darkroom.images.registered.v1"):
    """An upload was registered: the image exists and is queued."""

    image_id: UUID
    account_id: UUID
    upload_id: UUID
    surface: Surface
    stage: Stage
    size_bytes: int


class ImageReadyV1(Event, subject="darkroom.images.ready.v1"):
    """Every rendition of the image exists."""

    image_id: UUID
    account_id: UUID
    version: int


class ImageFailedV1(Event, subject="darkroom.images.failed.v1"):
    """The image could not be developed; the code says why."""

    image_id: UUID
    account_id: UUID
    version: int
    code: str
