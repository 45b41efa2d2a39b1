"""A request's body: what its headers must promise, and the form it is read into."""

from typing import Final

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from darkroom.upload.api.form import MAX_FRAMING_BYTES, UploadForm
from darkroom.upload.domain.errors import (
    EmptyFile,
    FileTooLarge,
    MalformedForm,
    UnsupportedRequest,
)
from darkroom.upload.store.spool import Spool

# RFC 2046, section 5.1.1.
MAX_BOUNDARY_BYTES: Final = 70
MAX_LENGTH_DIGITS: Final = 20
IDENTITY: Final = "identity"


def boundary_of(request: Request) -> bytes:
    """Return the form's boundary; raises UnsupportedRequest when the body is no plain form."""
    encoding = request.headers.get("content-encoding", IDENTITY).strip().lower()
    if encoding not in {"", IDENTITY}:
        raise UnsupportedRequest(
            "A compressed request body is not accepted; send the form as it is."
        )
    media_type, options = parse_options_header(request.headers.get("content-type"))
    if media_type != b"multipart/form-data":
        raise UnsupportedRequest("Send the file as multipart/form-data, in a field named file.")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY_BYTES:
        raise MalformedForm("The content type names no boundary of 1 to 70 characters.")
    return boundary


def expected_bytes(request: Request, *, file_limit_bytes: int) -> int:
    """Return how many bytes may come; raises FileTooLarge when more are announced than may."""
    most = file_limit_bytes + MAX_FRAMING_BYTES
    announced = request.headers.get("content-length", "")
    if not announced.isascii() or not announced.isdigit():
        return most
    # Longer than any size there is; Python refuses to read numbers of thousands of digits.
    if len(announced) > MAX_LENGTH_DIGITS or int(announced) > most:
        raise FileTooLarge(file_limit_bytes)
    return int(announced)


async def receive_form(
    request: Request, boundary: bytes, spool: Spool, *, file_limit_bytes: int
) -> UploadForm:
    """Read the body to its end: the file into the spool, the rest into the form."""
    form = UploadForm(boundary, file_limit_bytes=file_limit_bytes, take_file=spool.take)
    try:
        async for piece in request.stream():
            form.feed(piece)
            await spool.drain()
    except ClientDisconnect as error:
        raise MalformedForm("The connection closed before the whole form had arrived.") from error
    form.finish()
    if form.file_bytes == 0:
        raise EmptyFile
    return form
