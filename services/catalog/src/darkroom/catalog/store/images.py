"""Reading and writing images; what takes an owner sees that owner's library only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, false, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningInsert

from darkroom.catalog.domain.errors import ImageMissing
from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.owner import Owner
from darkroom.catalog.domain.paging import bucket_of
from darkroom.catalog.store.counts import change_counts
from darkroom.catalog.store.rows import WHOLE_IMAGES, columns_of, image_of, state_columns
from darkroom.catalog.store.tables import UNFINISHED, albums, images, renditions
from darkroom.contracts.images import ImageStatus


class Images:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, image_id: UUID, *, owner: Owner) -> Image:
        query = WHOLE_IMAGES.where(
            images.c.id == image_id,
            images.c.account_id == owner.account_id,
            images.c.stage == owner.stage,
        )
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            raise ImageMissing
        return image_of(row)

    async def find(self, image_id: UUID) -> Image | None:
        """Find an image of anybody's; whoever asks must decide who may know of it."""
        query = WHOLE_IMAGES.where(images.c.id == image_id)
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else image_of(row)

    async def find_for_update(self, image_id: UUID) -> Image | None:
        """Find an image and keep its row until the transaction ends."""
        query = WHOLE_IMAGES.where(images.c.id == image_id).with_for_update(of=images)
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else image_of(row)

    async def find_by_upload(self, upload_id: UUID, *, owner: Owner) -> Image | None:
        query = WHOLE_IMAGES.where(
            images.c.upload_id == upload_id,
            images.c.account_id == owner.account_id,
            images.c.stage == owner.stage,
        )
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else image_of(row)

    async def claim_overdue(
        self, *, now: datetime, lost_before: datetime | None, made_before: datetime, limit: int
    ) -> Sequence[Image]:
        """Lock unfinished images past their deadline whose job is lost, or that are too old."""
        is_old = images.c.created_at <= made_before
        is_lost = false() if lost_before is None else images.c.enqueued_at < lost_before
        query = (
            WHOLE_IMAGES.where(images.c.status.in_(UNFINISHED), images.c.deadline_at < now)
            .where(or_(is_old, is_lost))
            .order_by(images.c.deadline_at)
            .limit(limit)
            .with_for_update(of=images, skip_locked=True)
        )
        return [image_of(row) for row in await self._session.execute(query)]

    async def add(self, image: Image) -> Image | None:
        """Insert at the end of its album and count it; None when its ids are taken already."""
        columns = columns_of(image)
        values = {_parameter(name): value for name, value in columns.items()}
        album_seq = await self._session.scalar(_ADD, values)
        if album_seq is None:
            return None
        added = replace(image, album_seq=album_seq)
        await self._count(added, {added.status: 1})
        return added

    async def save(self, before: Image, after: Image) -> None:
        """Write what a job changed, move the counts and, once complete, add the renditions."""
        await self._session.execute(_SAVE, {"saved_id": after.id, **state_columns(after)})
        if after.renditions and not before.renditions:
            rows = [made.model_dump() | {"image_id": after.id} for made in after.renditions]
            await self._session.execute(insert(renditions), rows)
        if before.status is not after.status:
            await self._count(after, {before.status: -1, after.status: 1})

    async def _count(self, image: Image, deltas: dict[ImageStatus, int]) -> None:
        await change_counts(
            self._session,
            album_id=image.album_id,
            bucket=bucket_of(image.album_seq),
            deltas=deltas,
        )


def _parameter(column: str) -> str:
    # The bare names of columns are taken by the statement itself.
    return f"its_{column}"


def _add() -> ReturningInsert[int]:
    """Take the album's next number and insert the image under it, in one statement."""
    place = (
        update(albums)
        .where(
            albums.c.id == bindparam("its_album_id"),
            albums.c.account_id == bindparam("its_account_id"),
            albums.c.stage == bindparam("its_stage"),
        )
        .values(next_seq=albums.c.next_seq + 1)
        .returning((albums.c.next_seq - 1).label("album_seq"))
        .cte("place")
    )
    given = [column for column in images.c if column.name != "album_seq"]
    values = [bindparam(_parameter(column.name), type_=column.type) for column in given]
    return (
        insert(images)
        .from_select([*given, images.c.album_seq], select(*values, place.c.album_seq))
        .on_conflict_do_nothing()
        .returning(images.c.album_seq)
    )


# Composed once: putting them together costs more than running them.
_ADD: Final = _add()
_SAVE: Final = update(images).where(images.c.id == bindparam("saved_id"))
