"""Which stored file an address names, who may have it, and how it is sent."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from darkroom.catalog.domain.disposition import attachment
from darkroom.catalog.domain.errors import FileMissing, LinkRefused
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.ids import InvalidId, Prefix, decode_id, encode_id
from darkroom.contracts.images import ImageFormat, ImageStatus, RenditionName, Visibility


class Shelf(StrEnum):
    """The three folders of public addresses under `/storage/`."""

    UPLOADS = "uploads"
    PROCESSED = "processed"
    THUMBNAILS = "thumbnails"


RENDITION_ON: Final = {
    Shelf.PROCESSED: RenditionName.PROCESSED,
    Shelf.THUMBNAILS: RenditionName.THUMBNAIL,
}
# Kept by whoever likes and asked about before each use: a withdrawn link is dead everywhere at
# once, and a 304 costs no storage.
SHARED_CACHING: Final = "public, no-cache"
PRIVATE_CACHING: Final = "private, no-store"


@dataclass(frozen=True, slots=True)
class Address:
    shelf: Shelf
    image_id: UUID
    extension: str

    @property
    def path(self) -> str:
        return file_path(self.shelf, self.image_id, self.extension)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: as owner when a credential says so, or by the URL version of a valid link."""

    owner: Owner | None
    url_version: int | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    sha256: str
    size_bytes: int
    format: ImageFormat
    modified_at: datetime
    disposition: str


@dataclass(frozen=True, slots=True)
class Delivery:
    file: StoredFile
    caching: str


def file_path(shelf: Shelf, image_id: UUID, extension: str) -> str:
    return f"/storage/{shelf}/{encode_id(Prefix.IMAGE_PARTR, image_id)}.{extension}"


def parse_address(shelf: str, name: str) -> Address:
    """Read the last two parts of a storage URL; raises FileMissing for any other spelling."""
    public_id, _, extension = name.partition(".")
    try:
        return Address(Shelf(shelf), decode_id(public_id, Prefix.IMAGE_PARTR), extension)
    except (InvalidId, ValueError):
        raise FileMissing from None


def deliver(image: Image, address: Address, caller: Caller) -> Delivery:
    """Return what to send and how; raises FileMissing for what the caller may not know of."""
    file = _original(image) if address.shelf is Shelf.UPLOADS else _rendition(image, address.shelf)
    if file is None or address.extension != file.format.extension:
        raise FileMissing
    return Delivery(file, _admit(image, caller))


def _original(image: Image) -> StoredFile:
    original = image.original
    return StoredFile(
        key=original.key,
        sha256=original.sha256,
        size_bytes=original.size_bytes,
        format=original.format,
        modified_at=image.created_at,
        disposition=attachment(
            original.filename,
            fallback_stem=encode_id(Prefix.IMAGE_PARTR, image.id),
            image_format=original.format,
        ),
    )


def _rendition(image: Image, shelf: Shelf) -> StoredFile | None:
    made = image.rendition(RENDITION_ON[shelf])
    if made is None or image.processed_at is None:
        return None
    return StoredFile(
        key=made.key,
        sha256=made.sha256,
        size_bytes=made.size_bytes,
        format=made.format,
        modified_at=image.processed_at,
        disposition="inline",
    )


def _admit(image: Image, caller: Caller) -> str:
    """Return how long the reply may be kept; until an image is ready it is its owner's alone."""
    is_shared = image.status is ImageStatus.READY and image.visibility is not Visibility.PRIVATE
    if is_shared:
        return SHARED_CACHING
    if caller.owner == image.owner:
        return PRIVATE_CACHING
    if image.status is not ImageStatus.READY or caller.url_version is None:
        raise FileMissing
    if caller.url_version != image.url_version:
        raise LinkRefused
    return PRIVATE_CACHING
