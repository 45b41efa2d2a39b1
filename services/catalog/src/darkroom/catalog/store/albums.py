"""Reading and making albums, each within one owner's library."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.errors import AlbumMissing
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.store.tables import albums


class Albums:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, album_id: UUID, *, owner: Owner) -> Album:
        query = select(albums).where(
            albums.c.id == album_id,
            albums.c.account_id == owner.account_id,
            albums.c.stage == owner.stage,
        )
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            raise AlbumMissing
        return _album(row)

    async def find_default(self, *, owner: Owner) -> Album | None:
        query = select(albums).where(
            albums.c.account_id == owner.account_id,
            albums.c.stage == owner.stage,
            albums.c.is_default,
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else _album(row)

    async def add(self, album: Album) -> None:
        await self._session.execute(insert(albums).values(**_columns(album)))

    async def add_default(self, album: Album) -> None:
        """Insert, or let the one that another upload made in the meantime be; waits for it."""
        statement = insert(albums).values(**_columns(album))
        await self._session.execute(
            statement.on_conflict_do_nothing(
                index_elements=[albums.c.account_id, albums.c.stage],
                index_where=albums.c.is_default,
            )
        )


def _album(row: Row[Any]) -> Album:
    return Album(
        id=row.id,
        owner=Owner(row.account_id, row.stage),
        title=row.title,
        description=row.description,
        visibility=row.visibility,
        tags=tuple(row.tags),
        is_default=row.is_default,
        created_at=row.created_at,
    )


def _columns(album: Album) -> dict[str, Any]:
    return {
        "id": album.id,
        "account_id": album.owner.account_id,
        "stage": album.owner.stage,
        "title": album.title,
        "description": album.description,
        "visibility": album.visibility,
        "tags": list(album.tags),
        "is_default": album.is_default,
        "created_at": album.created_at,
    }
