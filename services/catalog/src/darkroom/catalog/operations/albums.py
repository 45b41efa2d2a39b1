"""Making albums, and reading them page by page."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.domain.paging import Page, PageRequest
from darkroom.catalog.operations.register import find_album
from darkroom.catalog.store.albums import Albums
from darkroom.catalog.store.pages import read_page
from darkroom.contracts.ids import new_id
from darkroom.contracts.images import Visibility


async def create_album(
    session: AsyncSession,
    *,
    owner: Owner,
    title: str,
    description: str | None,
    visibility: Visibility,
    tags: tuple[str, ...],
    now: datetime,
) -> Album:
    album = Album(
        id=new_id(),
        owner=owner,
        title=title,
        description=description,
        visibility=visibility,
        tags=tags,
        is_default=False,
        created_at=now,
    )
    await Albums(session).add(album)
    return album


async def list_album_images(
    session: AsyncSession, *, owner: Owner, album_id: str, request: PageRequest
) -> Page:
    album = await find_album(session, owner=owner, album_id=album_id)
    return await read_page(session, album, request)
