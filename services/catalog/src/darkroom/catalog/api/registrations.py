"""Internal: upload registers stored originals, and asks first whether the album takes them."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter

from darkroom.catalog.api.callers import LateUploader, Uploader, owner_of
from darkroom.catalog.operations.register import find_album, register_image
from darkroom.catalog.wiring import Wired
from darkroom.contracts.registration import (
    ALBUM_CHECK_PATH,
    REGISTRATION_PATH,
    RegisteredImage,
    RegisterImage,
)
from darkroom.platform.db.session import Session

router = APIRouter(include_in_schema=False)


@router.put(f"{REGISTRATION_PATH}/{{upload_id}}")
async def put_registration(
    upload_id: UUID, body: RegisterImage, caller: LateUploader, session: Session, wired: Wired
) -> RegisteredImage:
    """Make the image of an upload, or answer the one it has made before."""
    now = datetime.now(UTC)
    image = await register_image(
        session,
        owner=owner_of(caller),
        surface=caller.surface,
        upload_id=upload_id,
        request=body,
        now=now,
    )
    return RegisteredImage(
        image_id=image.id,
        album_id=image.album_id,
        status=image.status,
        original_url=wired.links.original(image, now=now),
        created_at=image.created_at,
    )


@router.get(ALBUM_CHECK_PATH, status_code=204)
async def check_album(album_id: str, caller: Uploader, session: Session) -> None:
    """Answer whether the caller may add to the album, before a byte of the upload is read."""
    await find_album(session, owner=owner_of(caller), album_id=album_id)
