"""partr: one image."""

from datetime import UTC, datetime

from fastapi import APIRouter

from darkroom.catalog.api.callers import Reader, owner_of
from darkroom.catalog.api.schemas import ImageDetail
from darkroom.catalog.operations.images import get_image
from darkroom.catalog.wiring import Wired
from darkroom.platform.db.session import Session

router = APIRouter()


@router.api_route("/api/v1/images/{image_id}", methods=["GET", "HEAD"])
async def read_image(image_id: str, caller: Reader, session: Session, wired: Wired) -> ImageDetail:
    """Return an image with its status, its addresses and what was learnt from its pixels."""
    image = await get_image(session, owner=owner_of(caller), image_id=image_id)
    return ImageDetail.of(image, wired.links, now=datetime.now(UTC))
