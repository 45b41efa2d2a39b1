"""One page of an album in one statement: sum buckets, find the page's own, read on from it."""

from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    cast,
    func,
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

_OFFSET: Final = bindparam("offset", type_=BigInteger)
_LIMIT: Final = bindparam("limit", type_=Integer)


async def read_page(session: AsyncSession, album: Album, request: PageRequest) -> Page:
    """Read counts and images in one snapshot, so that they agree with each other."""
    query, values = page_query(album, request)
    rows = (await session.execute(query, values)).all()
    found = [image_of(row) for row in rows if row.id is not None]
    return Page(found, total=rows[0].total, page=request.page, limit=request.limit)


def page_query(album: Album, request: PageRequest) -> tuple[Select[Any], dict[str, Any]]:
    """Return the statement and its values; its first row has the total even on an empty page."""
    values = {
        "album_id": album.id,
        "account_id": album.owner.account_id,
        "stage": album.owner.stage,
        "offset": min(request.offset, _FARTHEST),
        "limit": request.limit,
    }
    if request.status is None:
        return _PAGE, values
    return _PAGE_OF_STATUS, values | {"status": request.status}


def _page(*, of_status: bool) -> Select[Any]:
    running = _running_counts(of_status=of_status)
    upto = func.coalesce(func.max(running.c.upto), 0)
    total = select(cast(upto, BigInteger).label("total")).cte("total")
    start = _start(running)
    listed = _listed(start, of_status=of_status)
    return (
        select(total.c.total, *whole(listed))
        .select_from(total.outerjoin(start.join(listed, true()), true()))
        .order_by(listed.c.album_seq.desc())
    )


def _running_counts(*, of_status: bool) -> CTE:
    """Sum each bucket, and all buckets from the newest down to it."""
    wanted = [album_counts.c.album_id == bindparam("album_id")]
    if of_status:
        wanted.append(album_counts.c.status == bindparam("status"))
    held = func.sum(album_counts.c.images)
    upto = func.sum(held).over(order_by=album_counts.c.bucket.desc())
    return (
        select(album_counts.c.bucket, held.label("held"), upto.label("upto"))
        .where(*wanted)
        .group_by(album_counts.c.bucket)
        .cte("running")
    )


def _start(running: CTE) -> CTE:
    """Find the bucket the page begins in, and how many of its images belong to earlier pages."""
    skip = cast(_OFFSET - (running.c.upto - running.c.held), BigInteger)
    return (
        select(running.c.bucket, skip.label("skip"))
        .where(running.c.upto > _OFFSET)
        .order_by(running.c.bucket.desc())
        .limit(1)
        .cte("start")
    )


def _listed(start: CTE, *, of_status: bool) -> FromClause:
    """Read the page from the end of its first bucket; what is skipped is less than one bucket."""
    wanted: list[ColumnElement[bool]] = [
        images.c.album_id == bindparam("album_id"),
        images.c.account_id == bindparam("account_id"),
        images.c.stage == bindparam("stage"),
        images.c.album_seq < (start.c.bucket + 1) * BUCKET_SIZE,
    ]
    if of_status:
        wanted.append(images.c.status == bindparam("status"))
    return (
        select(images)
        .where(*wanted)
        .order_by(images.c.album_seq.desc())
        .offset(start.c.skip)
        .limit(_LIMIT)
        .lateral("listed")
    )


# Composed once: putting a statement of this size together costs more than running it.
_PAGE: Final = _page(of_status=False)
_PAGE_OF_STATUS: Final = _page(of_status=True)
