"""The maintained counts of an album, by bucket and status."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.store.tables import album_counts
from darkroom.contracts.images import ImageStatus


async def change_counts(
    session: AsyncSession, *, album_id: UUID, bucket: int, deltas: Mapping[ImageStatus, int]
) -> None:
    """Add to the counts of one bucket, in the caller's transaction."""
    statement = insert(album_counts).values(_rows(album_id, bucket, deltas))
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=album_counts.primary_key.columns,
            set_={"images": album_counts.c.images + statement.excluded.images},
        )
    )


def _rows(album_id: UUID, bucket: int, deltas: Mapping[ImageStatus, int]) -> list[dict[str, Any]]:
    # Rows are locked in the order of the statuses' names, the same for everybody: two
    # transactions that move images of one bucket wait for each other and never deadlock.
    return [
        {"album_id": album_id, "bucket": bucket, "status": status, "images": deltas[status]}
        for status in sorted(deltas)
    ]
