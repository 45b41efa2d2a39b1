"""partr: an album's images; pichr: a fresh album."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query

from darkroom.catalog.api.callers import Reader, Writer, owner_of
from darkroom.catalog.api.schemas import AlbumCreated, CreateAlbum, ImagePage
from darkroom.catalog.domain.paging import PageRequest
from darkroom.catalog.operations.albums import create_album, list_album_images
from darkroom.catalog.wiring import Wired
from darkroom.contracts.images import ImageStatus
from darkroom.platform.db.session import Session

# The HTTP contract: twenty unless said otherwise, a hundred at most.
DEFAULT_LIMIT: Final = 20
HIGHEST_LIMIT: Final = 100

router = APIRouter()


@router.api_route("/api/v1/albums/{album_id}/images", methods=["GET", "HEAD"])
async def read_album_images(
    album_id: str,
    caller: Reader,
    session: Session,
    wired: Wired,
    page: Annotated[int, Query(ge=1)] = 1,
    limit: Annotated[int, Query(ge=1, le=HIGHEST_LIMIT)] = DEFAULT_LIMIT,
    status: ImageStatus | None = None,
) -> ImagePage:
    """Return a page of an album's images, newest first, with the total of all pages."""
    found = await list_album_images(
        session,
        owner=owner_of(caller),
        album_id=album_id,
        request=PageRequest(page, limit, status),
    )
    return ImagePage.of(found, wired.links, now=datetime.now(UTC))


@router.post("/api/v1/albums", status_code=201)
async def post_album(
    album: CreateAlbum, caller: Writer, session: Session, wired: Wired
) -> AlbumCreated:
    """Make an album, private unless said otherwise."""
    created = await create_album(
        session,
        owner=owner_of(caller),
        title=album.title,
        description=album.description,
        visibility=album.visibility,
        tags=tuple(dict.fromkeys(album.tags)),
        now=datetime.now(UTC),
    )
    return AlbumCreated.of(created, wired.links)
