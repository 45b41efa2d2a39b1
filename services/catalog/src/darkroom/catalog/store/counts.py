"""The maintained counts of an album, by bucket and status."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, String, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.store.tables import album_counts
from darkroom.contracts.images import ImageStatus


async def change_counts(
    session: AsyncSession, *, album_id: UUID, bucket: int, deltas: Mapping[ImageStatus, int]
) -> None:
    """Add to the counts of one bucket, in the caller's transaction."""
    # Rows are locked in the order of the statuses' names, the same for everybody: two
    # transactions that move images of one bucket wait for each other and never deadlock.
    statuses = sorted(deltas)
    values = {
        "album_id": album_id,
        "bucket": bucket,
        "statuses": [status.value for status in statuses],
        "deltas": [deltas[status] for status in statuses],
    }
    await session.execute(_CHANGE, values)


def _change() -> Insert:
    moved = (
        func.unnest(
            bindparam("statuses", type_=ARRAY(String)), bindparam("deltas", type_=ARRAY(Integer))
        )
        .table_valued("status", "images", name="moved", joins_implicitly=True)
        .render_derived()
    )
    rows = select(
        bindparam("album_id", type_=Uuid),
        bindparam("bucket", type_=BigInteger),
        moved.c.status,
        moved.c.images,
    )
    columns = album_counts.c
    statement = insert(album_counts).from_select(
        [columns.album_id, columns.bucket, columns.status, columns.images], rows
    )
    return statement.on_conflict_do_update(
        index_elements=album_counts.primary_key.columns,
        set_={"images": columns.images + statement.excluded.images},
    )


# Composed once: a list of rows would be compiled anew at each call.
_CHANGE: Final = _change()
