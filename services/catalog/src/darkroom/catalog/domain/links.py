"""Absolute addresses of an image's files, as clients see them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.capability import CapabilityKey
from darkroom.catalog.domain.delivery import RENDITION_ON, Shelf, file_path
from darkroom.catalog.domain.image import Image
from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.images import Visibility

# The HTTP contract: a capability lives for an hour; the owner's next reply carries a fresh one.
CAPABILITY_LIFETIME: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Links:
    public_url: str
    key: CapabilityKey

    def original(self, image: Image, *, now: datetime) -> str:
        path = file_path(Shelf.UPLOADS, image.id, image.original.format.extension)
        return self._absolute(image, path, now=now)

    def processed(self, image: Image, *, now: datetime) -> str | None:
        return self._rendition(image, Shelf.PROCESSED, now=now)

    def thumbnail(self, image: Image, *, now: datetime) -> str | None:
        return self._rendition(image, Shelf.THUMBNAILS, now=now)

    def album(self, album: Album) -> str:
        return f"{self.public_url}/a/{encode_id(Prefix.ALBUM, album.id)}"

    def _rendition(self, image: Image, shelf: Shelf, *, now: datetime) -> str | None:
        made = image.rendition(RENDITION_ON[shelf])
        if made is None:
            return None
        return self._absolute(image, file_path(shelf, image.id, made.format.extension), now=now)

    def _absolute(self, image: Image, path: str, *, now: datetime) -> str:
        url = f"{self.public_url}{path}"
        if image.visibility is not Visibility.PRIVATE:
            return url
        expires_at = now + CAPABILITY_LIFETIME
        token = self.key.sign(path, expires_at=expires_at, url_version=image.url_version)
        return f"{url}?t={token}"
