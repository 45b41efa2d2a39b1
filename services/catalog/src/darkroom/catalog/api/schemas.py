"""Requests and replies of the partr surface, and of album creation."""

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, Field

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.image import Failure, Image
from darkroom.catalog.domain.links import Links
from darkroom.catalog.domain.paging import Page
from darkroom.catalog.domain.text import clean_text, is_storable
from darkroom.contracts.ids import Prefix, encode_id
from darkroom.contracts.images import ImageFormat, ImageStatus, Visibility
from darkroom.contracts.problems import ProblemCode

LONGEST_ALBUM_TITLE: Final = 200
LONGEST_DESCRIPTION: Final = 5_000
LONGEST_TAG: Final = 50
MOST_TAGS: Final = 50


def stamp(moment: datetime) -> str:
    """Write a time as the documented samples do: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class ImageError(BaseModel):
    code: ProblemCode
    message: str

    @classmethod
    def of(cls, failure: Failure | None) -> Self | None:
        return None if failure is None else cls(code=failure.code, message=failure.message)


class ImageSummary(BaseModel):
    id: str
    status: ImageStatus
    original_url: str
    processed_url: str | None
    thumbnail_url: str | None
    created_at: str
    # Only a failed image has one; the documented samples show none.
    error: ImageError | None = Field(default=None, exclude_if=lambda error: error is None)

    @classmethod
    def of(cls, image: Image, links: Links, *, now: datetime) -> Self:
        return cls(
            id=encode_id(Prefix.IMAGE_PARTR, image.id),
            status=image.status,
            original_url=links.original(image, now=now),
            processed_url=links.processed(image, now=now),
            thumbnail_url=links.thumbnail(image, now=now),
            created_at=stamp(image.created_at),
            error=ImageError.of(image.failure),
        )


class PageMeta(BaseModel):
    total: int
    page: int
    limit: int
    total_pages: int


class ImagePage(BaseModel):
    images: list[ImageSummary]
    meta: PageMeta

    @classmethod
    def of(cls, page: Page, links: Links, *, now: datetime) -> Self:
        return cls(
            images=[ImageSummary.of(image, links, now=now) for image in page.images],
            meta=PageMeta(
                total=page.total,
                page=page.page,
                limit=page.limit,
                total_pages=page.total_pages,
            ),
        )


class ImageDetail(BaseModel):
    id: str
    album_id: str
    status: ImageStatus
    original_filename: str | None
    original_url: str
    processed_url: str | None
    thumbnail_url: str | None
    width: int | None
    height: int | None
    format: ImageFormat
    size_bytes: int
    processing_duration_ms: int | None
    created_at: str
    processed_at: str | None
    blurhash: str | None
    thumbhash: str | None
    palette: tuple[str, ...] | None
    phash: str | None
    # Null because no classifier is installed; a score is never invented.
    labels: list[str] | None = None
    nsfw_score: float | None = None
    error: ImageError | None = Field(default=None, exclude_if=lambda error: error is None)

    @classmethod
    def of(cls, image: Image, links: Links, *, now: datetime) -> Self:
        found = image.findings
        return cls(
            id=encode_id(Prefix.IMAGE_PARTR, image.id),
            album_id=encode_id(Prefix.ALBUM, image.album_id),
            status=image.status,
            original_filename=image.original.filename,
            original_url=links.original(image, now=now),
            processed_url=links.processed(image, now=now),
            thumbnail_url=links.thumbnail(image, now=now),
            width=None if found is None else found.width,
            height=None if found is None else found.height,
            format=image.original.format,
            size_bytes=image.original.size_bytes,
            processing_duration_ms=image.processing_duration_ms,
            created_at=stamp(image.created_at),
            processed_at=None if image.processed_at is None else stamp(image.processed_at),
            blurhash=None if found is None else found.blurhash,
            thumbhash=None if found is None else found.thumbhash,
            palette=None if found is None else found.palette,
            phash=None if found is None else found.phash,
            error=ImageError.of(image.failure),
        )


def _one_line(text: str) -> str:
    cleaned = clean_text(text, longest=len(text))
    if cleaned is None:
        raise ValueError("must not be blank")
    return cleaned


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("must be plain text")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
Prose = Annotated[str, AfterValidator(_storable)]


def _not_offered(value: object) -> object:
    if value:
        raise ValueError("is not offered yet")
    return value


# Documented by pichr, and refused rather than dropped: an album thought locked must not be open.
NotOffered = Annotated[object, AfterValidator(_not_offered)]


class CreateAlbum(BaseModel):
    title: Annotated[Line, Field(min_length=1, max_length=LONGEST_ALBUM_TITLE)]
    description: Annotated[Prose, Field(max_length=LONGEST_DESCRIPTION)] | None = None
    visibility: Visibility = Visibility.PRIVATE
    tags: Annotated[
        list[Annotated[Line, Field(max_length=LONGEST_TAG)]], Field(max_length=MOST_TAGS)
    ] = []
    password: NotOffered = None
    file_ids: NotOffered = Field(default=None, validation_alias="fileIds")


class AlbumCreated(BaseModel):
    id: str
    title: str
    description: str | None
    visibility: Visibility
    tags: tuple[str, ...]
    created_at: str = Field(serialization_alias="createdAt")
    url: str

    @classmethod
    def of(cls, album: Album, links: Links) -> Self:
        return cls(
            id=encode_id(Prefix.ALBUM, album.id),
            title=album.title,
            description=album.description,
            visibility=album.visibility,
            tags=album.tags,
            created_at=stamp(album.created_at),
            url=links.album(album),
        )
