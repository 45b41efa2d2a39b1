"""Upload's one call to catalog: make an image of bytes that are stored and checked."""

from typing import Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from darkroom.contracts.images import ImageFormat, ImageStatus, Visibility
from darkroom.contracts.recipes import Preset

# PUT {path}/{upload_id}, on catalog's service port, with the caller's passport: idempotent by
# upload id.
REGISTRATION_PATH: Final = "/-/registrations"
# GET {path}?album_id=…, same port and passport: 204 when the caller may add to the album, else 404.
ALBUM_CHECK_PATH: Final = "/-/album-check"


class RegisterImage(BaseModel):
    """Describe a stored, verified original; `album_id` is public, None means the default album.

    Sizes in bytes; `sha256` in hex; width and height as stored, before orientation is applied.
    """

    model_config = ConfigDict(frozen=True)

    image_id: UUID
    original_key: str
    sha256: str
    size_bytes: int = Field(ge=1)
    format: ImageFormat
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    frames: int = Field(default=1, ge=1)
    original_filename: str | None = None
    album_id: str | None = None
    preset: Preset = Preset.OPTIMIZE
    visibility: Visibility = Visibility.UNLISTED
    title: str | None = None
    tags: tuple[str, ...] = ()


class RegisteredImage(BaseModel):
    """Answer with the image as it now stands; a repeat of the upload id answers the same image."""

    model_config = ConfigDict(frozen=True)

    image_id: UUID
    album_id: UUID
    status: ImageStatus
    original_url: str
    created_at: AwareDatetime
