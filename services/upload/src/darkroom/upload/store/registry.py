"""Catalog, as upload needs it: does an album take my picture, and keep this one."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from darkroom.contracts.registration import (
    ALBUM_CHECK_PATH,
    REGISTRATION_PATH,
    RegisteredImage,
    RegisterImage,
)
from darkroom.platform.errors import NotFound
from darkroom.platform.http.client import InternalClient
from darkroom.upload.domain.errors import AlbumNotFound

# One transaction on a healthy catalog takes milliseconds; a hanging one is left for another try.
CALL_TIMEOUT_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Registry:
    client: InternalClient

    async def check_album(self, album_id: str, *, passport: str) -> None:
        """Raise AlbumNotFound unless the caller may add to the album."""
        reply = await self.client.call(
            "GET",
            ALBUM_CHECK_PATH,
            params={"album_id": album_id},
            passport=passport,
            timeout_seconds=CALL_TIMEOUT_SECONDS,
        )
        try:
            reply.raise_for_problem()
        except NotFound as error:
            raise AlbumNotFound from error

    async def register(
        self, upload_id: UUID, image: RegisterImage, *, passport: str
    ) -> RegisteredImage:
        """Make the image; repeating the call with the same upload id answers the same image."""
        reply = await self.client.call(
            "PUT",
            f"{REGISTRATION_PATH}/{upload_id}",
            body=image,
            passport=passport,
            timeout_seconds=CALL_TIMEOUT_SECONDS,
        )
        try:
            reply.raise_for_problem()
        except NotFound as error:
            raise AlbumNotFound from error
        return reply.parse(RegisteredImage)
