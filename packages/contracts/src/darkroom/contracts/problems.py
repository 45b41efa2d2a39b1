"""Problems: the stable codes clients may switch on, and their bodies in each surface's shape."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from darkroom.contracts.surfaces import Surface

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
JSON_MEDIA_TYPE: Final = "application/json"


class ProblemCode(StrEnum):
    """Name a reason, once, for every surface; codes are never renamed."""

    # The request itself.
    BAD_REQUEST = "bad_request"
    INVALID_FIELD = "invalid_field"
    MISSING_FIELD = "missing_field"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_FOUND = "not_found"
    GONE = "gone"
    CONFLICT = "conflict"
    REQUEST_TIMEOUT = "request_timeout"
    URI_TOO_LONG = "uri_too_long"
    HEADERS_TOO_LARGE = "headers_too_large"
    BODY_TOO_LARGE = "body_too_large"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    # Who asks.
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_INVALID = "credentials_invalid"
    SCOPE_MISSING = "scope_missing"
    FORBIDDEN = "forbidden"
    EMAIL_TAKEN = "email_taken"
    USERNAME_TAKEN = "username_taken"
    RATE_LIMITED = "rate_limited"
    # The file.
    EMPTY_FILE = "empty_file"
    FILE_TOO_LARGE = "file_too_large"
    STORAGE_FULL = "storage_full"
    UNSUPPORTED_FORMAT = "unsupported_format"
    IMAGE_CORRUPT = "image_corrupt"
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_TOO_COMPLEX = "image_too_complex"
    IMAGE_UNREADABLE = "image_unreadable"
    PROCESSING_EXPIRED = "processing_expired"
    # Us.
    UNAVAILABLE = "unavailable"
    BAD_REPLY = "bad_reply"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    INTERNAL_ERROR = "internal_error"


class FieldError(BaseModel):
    """Point at one bad field or parameter."""

    model_config = ConfigDict(frozen=True)

    field: str
    message: str


class Problem(BaseModel):
    """Describe one refusal, before any surface gives it a shape."""

    model_config = ConfigDict(frozen=True)

    status: int
    code: ProblemCode
    message: str
    request_id: str
    errors: tuple[FieldError, ...] = ()

    @property
    def title(self) -> str:
        """Return the standard phrase of the status."""
        return HTTPStatus(self.status).phrase


def media_type_for(accept: str) -> str:
    """Choose the reply's type: RFC 9457 when the client lists it, else plain JSON."""
    return PROBLEM_MEDIA_TYPE if PROBLEM_MEDIA_TYPE in accept else JSON_MEDIA_TYPE


def body_for(surface: Surface, problem: Problem, *, media_type: str) -> dict[str, Any]:
    """Shape a problem as the surface documents it, or as RFC 9457 when that type was chosen."""
    if media_type == PROBLEM_MEDIA_TYPE:
        return _rfc9457(problem)
    return _SHAPES[surface](problem)


def _rfc9457(problem: Problem) -> dict[str, Any]:
    return {
        "type": f"urn:darkroom:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.message,
        "code": problem.code,
        "request_id": problem.request_id,
        "errors": [{"parameter": e.field, "detail": e.message} for e in problem.errors],
    }


def _pichr(problem: Problem) -> dict[str, Any]:
    return {
        "error": problem.title,
        "message": problem.message,
        "details": {e.field: e.message for e in problem.errors} or None,
        "code": problem.code,
        "request_id": problem.request_id,
    }


def _img(problem: Problem) -> dict[str, Any]:
    return {
        "type": f"urn:darkroom:problem:{problem.code}",
        "error": problem.title,
        "status": problem.status,
        "message": problem.message,
        "errors": [{"field": e.field, "message": e.message} for e in problem.errors],
    }


def _imagepro(problem: Problem) -> dict[str, Any]:
    if problem.status == HTTPStatus.BAD_REQUEST and problem.errors:
        return {e.field: [e.message] for e in problem.errors}
    if problem.status == HTTPStatus.BAD_REQUEST:
        return {"non_field_errors": [problem.message]}
    return {"detail": problem.message}


_SHAPES: Final[Mapping[Surface, Callable[[Problem], dict[str, Any]]]] = {
    Surface.PARTR: _pichr,
    Surface.PICHR: _pichr,
    Surface.PLATFORM: _pichr,
    Surface.IMG: _img,
    Surface.IMAGEPRO: _imagepro,
}
