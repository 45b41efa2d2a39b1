"""One page of an album in one statement: sum buckets, find the page's own, read on from it."""

from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.catalog.domain.album import Album
from darkroom.catalog.domain.paging import BUCKET_SIZE, Page, PageRequest
from darkroom.catalog.store.rows import image_of, whole
from darkroom.catalog.store.tables import album_counts, images

# Past any count, and within PostgreSQL's 64 bits, however far a page a client asks for.
_FARTHEST: Final = 2**62


async def read_page(session: AsyncSession, album: Album, request: PageRequest) -> Page:
    """Read counts and images in one snapshot, so that they agree with each other."""
    rows = (await session.execute(page_query(album, request))).all()
    found = [image_of(row) for row in rows if row.id is not None]
    return Page(found, total=rows[0].total, page=request.page, limit=request.limit)


def page_query(album: Album, request: PageRequest) -> Select[Any]:
    """Give a row with the total always; its image is null where the page is empty."""
    running = _running_counts(album, request)
    total = select(cast(func.coalesce(func.max(running.c.upto), 0), BigInteger).label("total")).cte(
        "total"
    )
    start = _start(running, request)
    listed = _listed(album, request, start)
    return (
        select(total.c.total, *whole(listed))
        .select_from(total.outerjoin(start.join(listed, true()), true()))
        .order_by(listed.c.album_seq.desc())
    )


def _running_counts(album: Album, request: PageRequest) -> CTE:
    """Sum each bucket, and all buckets from the newest down to it."""
    wanted = [album_counts.c.album_id == album.id]
    if request.status is not None:
        wanted.append(album_counts.c.status == request.status)
    held = func.sum(album_counts.c.images)
    upto = func.sum(held).over(order_by=album_counts.c.bucket.desc())
    return (
        select(album_counts.c.bucket, held.label("held"), upto.label("upto"))
        .where(*wanted)
        .group_by(album_counts.c.bucket)
        .cte("running")
    )


def _start(running: CTE, request: PageRequest) -> CTE:
    """Find the bucket the page begins in, and how many of its images belong to earlier pages."""
    offset = literal(min(request.offset, _FARTHEST), BigInteger)
    skip = cast(offset - (running.c.upto - running.c.held), BigInteger)
    return (
        select(running.c.bucket, skip.label("skip"))
        .where(running.c.upto > offset)
        .order_by(running.c.bucket.desc())
        .limit(1)
        .cte("start")
    )


def _listed(album: Album, request: PageRequest, start: CTE) -> FromClause:
    """Read the page from the end of its first bucket; what is skipped is less than one bucket."""
    wanted: list[ColumnElement[bool]] = [
        images.c.album_id == album.id,
        images.c.account_id == album.owner.account_id,
        images.c.stage == album.owner.stage,
        images.c.album_seq < (start.c.bucket + 1) * BUCKET_SIZE,
    ]
    if request.status is not None:
        wanted.append(images.c.status == request.status)
    return (
        select(images)
        .where(*wanted)
        .order_by(images.c.album_seq.desc())
        .offset(start.c.skip)
        .limit(request.limit)
        .lateral("listed")
    )
