"""Why an upload is refused; the edge decides what status each family gets."""

from typing import Final

from darkroom.contracts.problems import FieldError, ProblemCode
from darkroom.platform.errors import (
    Malformed,
    NotFound,
    ServiceError,
    TooLarge,
    Unavailable,
    Unprocessable,
    Unsupported,
)
from darkroom.upload.domain.sniff import ACCEPTED
from darkroom.upload.domain.verdict import Verdict

FILE: Final = "file"


class MalformedForm(Malformed):
    public = "The form cannot be understood."


class MissingField(Malformed):
    code = ProblemCode.MISSING_FIELD

    def __init__(self, field: str) -> None:
        message = f"The form has no field named {field}."
        super().__init__(message, errors=(FieldError(field=field, message=message),))


class InvalidField(Malformed):
    code = ProblemCode.INVALID_FIELD

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, errors=(FieldError(field=field, message=message),))


class EmptyFile(Malformed):
    code = ProblemCode.EMPTY_FILE
    public = "The file is empty."


class FileTooLarge(TooLarge):
    code = ProblemCode.FILE_TOO_LARGE

    def __init__(self, limit_bytes: int) -> None:
        limit = f"{limit_bytes / 1_000_000:g} MB"
        super().__init__(f"The file is larger than the {limit} that your plan allows.")


class UnsupportedRequest(Unsupported):
    """The request's own wrapping, not the file in it."""

    code = ProblemCode.BAD_REQUEST


class UnsupportedFormat(Unsupported):
    code = ProblemCode.UNSUPPORTED_FORMAT
    public = f"This kind of file is not accepted; {ACCEPTED} are."


class ImageCorrupt(Unprocessable):
    code = ProblemCode.IMAGE_CORRUPT
    public = "The file is damaged."


class ImageTooLarge(Unprocessable):
    code = ProblemCode.IMAGE_TOO_LARGE
    public = "The image has too many pixels."


class ImageTooComplex(Unprocessable):
    code = ProblemCode.IMAGE_TOO_COMPLEX
    public = "The image is too complex."


class AlbumNotFound(NotFound):
    """Unknown, foreign and unreadable ids get one answer."""

    public = "There is no such album."


class TooManyUploads(Unavailable):
    public = "Too many uploads are under way; try again in a moment."


class TooManyOfAccount(TooManyUploads):
    public = "Too many uploads of this account are under way; try again when one has ended."


class SpoolFull(Unavailable):
    public = "There is no room for the file at the moment; try again later."
    # Space comes back when uploads under way end, not within a second.
    retry_after_seconds = 10


class StoreUnavailable(Unavailable):
    public = "The file cannot be stored at the moment; try again later."


class CatalogUnavailable(Unavailable):
    public = "The image cannot be registered at the moment; try again later."


REFUSALS: Final[dict[Verdict, type[ServiceError]]] = {
    Verdict.INVALID: ImageCorrupt,
    Verdict.TRUNCATED: ImageCorrupt,
    Verdict.UNSUPPORTED: UnsupportedFormat,
    Verdict.TOO_LARGE: ImageTooLarge,
    Verdict.TOO_COMPLEX: ImageTooComplex,
}
