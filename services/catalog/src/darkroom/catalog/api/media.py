"""Stored files: originals, processed pictures and thumbnails, to whoever may have them."""

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from darkroom.catalog.api.callers import OptionalOwner
from darkroom.catalog.api.files import reply_with
from darkroom.catalog.operations.delivery import find_delivery
from darkroom.catalog.wiring import Wired
from darkroom.platform.db.session import Session

router = APIRouter()


@router.api_route("/storage/{shelf}/{name}", methods=["GET", "HEAD"])
async def read_file(
    shelf: str,
    name: str,
    request: Request,
    owner: OptionalOwner,
    session: Session,
    wired: Wired,
    t: str | None = None,
) -> Response:
    """Send a stored file, whole or in part, or say that the caller's copy is still good."""
    delivery = await find_delivery(
        session,
        shelf=shelf,
        name=name,
        owner=owner,
        token=t,
        key=wired.links.key,
        now=datetime.now(UTC),
    )
    return await reply_with(delivery, request, wired.blobs)
