"""The partr surface: one multipart POST, answered when the image is stored and queued."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from darkroom.contracts.claims import Passport, Scope
from darkroom.platform.auth.guards import passport_token, requires
from darkroom.upload.api.body import boundary_of, expected_bytes, receive_form
from darkroom.upload.api.schemas import UploadReceipt
from darkroom.upload.domain.submission import read_submission
from darkroom.upload.operations import accept_upload, step
from darkroom.upload.wiring import UploadResources

router = APIRouter()

Uploader = Annotated[Passport, Depends(requires(Scope.UPLOAD))]


@router.post("/api/v1/upload", status_code=HTTPStatus.CREATED)
async def upload(request: Request, uploader: Uploader, resources: UploadResources) -> UploadReceipt:
    """Upload an image into an album; it is queued for processing.

    A form with the picture in `file` and, if wanted, `album_id`, `preset` (`optimize`, `enhance`,
    `none`), `visibility` (`public`, `unlisted`, `private`), `title` and comma-separated `tags`.
    """
    limit = uploader.principal.limits.file_bytes
    boundary = boundary_of(request)
    expected = expected_bytes(request, file_limit_bytes=limit)
    uploader_id = uploader.principal.account_id
    async with resources.spools.open(expected_bytes=expected, uploader_id=uploader_id) as spool:
        with step("receive"):
            form = await receive_form(request, boundary, spool, file_limit_bytes=limit)
            submission = read_submission(form.fields, filename=form.filename)
            spooled = await spool.finish()
        image = await accept_upload(
            resources.ports,
            spooled,
            submission,
            passport=passport_token(request),
            now=datetime.now(UTC),
        )
    return UploadReceipt.of(image)
