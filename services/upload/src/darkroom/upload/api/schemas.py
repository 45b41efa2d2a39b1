"""What the upload endpoints answer."""

from datetime import UTC
from typing import Self

from pydantic import BaseModel, ConfigDict

from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.images import ImageStatus
from darkroom.contracts.registration import RegisteredImage


class UploadReceipt(BaseModel):
    model_config = ConfigDict(frozen=True)

    image_id: str
    album_id: str
    status: ImageStatus
    original_url: str
    created_at: str

    @classmethod
    def of(cls, image: RegisteredImage) -> Self:
        """Write a registered image as partr documents it: whole seconds, Z for UTC."""
        return cls(
            image_id=encode_id(Prefix.IMAGE_PARTR, image.image_id),
            album_id=encode_id(Prefix.ALBUM, image.album_id),
            status=image.status,
            original_url=image.original_url,
            created_at=image.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
