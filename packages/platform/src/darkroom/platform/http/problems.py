"""The HTTP edge of errors: one table from family to status, one place that writes the body."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from darkroom.contracts.problems import (
    FieldError,
    Problem,
    ProblemCode,
    body_for,
    media_type_for,
)
from darkroom.contracts.surfaces import Surface
from darkroom.platform.errors import (
    BadReply,
    Broken,
    Conflict,
    Forbidden,
    Gone,
    LimitReached,
    Malformed,
    NotFound,
    QuotaExceeded,
    Rejected,
    ServiceError,
    TimedOut,
    TooLarge,
    TooSlow,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    Unsupported,
)
from darkroom.platform.http.requests import current_request_id
from darkroom.platform.telemetry.logs import get_logger


class MethodNotAllowed(Rejected):
    """The path is there, the method is not."""

    code = ProblemCode.METHOD_NOT_ALLOWED
    public = "This method is not allowed here."


STATUS: Final[Mapping[type[ServiceError], int]] = {
    Malformed: 400,
    Unauthenticated: 401,
    QuotaExceeded: 402,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    TooSlow: 408,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    Unsupported: 415,
    Unprocessable: 422,
    LimitReached: 429,
    Rejected: 400,
    Broken: 500,
    BadReply: 502,
    Unavailable: 503,
    TimedOut: 504,
}
FAMILY: Final[Mapping[int, type[ServiceError]]] = {
    status: family for family, status in STATUS.items() if family is not Rejected
}

# What validation calls a body that is text, a list, or nothing at all.
_NO_OBJECT: Final = frozenset({"model_attributes_type", "dict_type", "model_type", "missing"})

log = get_logger()


def status_of(error: ServiceError) -> int:
    """Return the status of an error's nearest family."""
    for family in type(error).__mro__:
        if family in STATUS:
            return STATUS[family]
    return STATUS[Broken]


def problem_of(error: ServiceError) -> Problem:
    """Describe an error for a client: its code and public sentence, never its context."""
    return Problem(
        status=status_of(error),
        code=error.problem_code,
        message=error.message,
        request_id=current_request_id(),
        errors=error.errors,
    )


def problem_headers(error: ServiceError) -> dict[str, str]:
    """Return the headers every problem carries; errors are never cached."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def problem_response(error: ServiceError, *, surface: Surface, accept: str = "") -> Response:
    """Write an error as the surface documents it, or as RFC 9457 when the client asks for that."""
    media_type = media_type_for(accept)
    problem = problem_of(error)
    return JSONResponse(
        body_for(surface, problem, media_type=media_type),
        status_code=problem.status,
        headers=problem_headers(error),
        media_type=media_type,
    )


def install(app: FastAPI) -> None:
    """Make every error of an app leave through this table; frameworks' own bodies never do."""

    async def on_service_error(request: Request, error: Exception) -> Response:
        known = error if isinstance(error, ServiceError) else Broken()
        _log_refusal(known)
        return _respond(request, known)

    async def on_validation_error(request: Request, error: Exception) -> Response:
        details = error.errors() if isinstance(error, RequestValidationError) else ()
        return _respond(request, _malformed(details))

    async def on_http_exception(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _respond(request, _from_status(status))

    app.add_exception_handler(ServiceError, on_service_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)


def surface_of(request: Request) -> Surface:
    """Return the surface the guards noted for this request; the platform's own until then."""
    surface = getattr(request.state, "surface", Surface.PLATFORM)
    return surface if isinstance(surface, Surface) else Surface.PLATFORM


def _respond(request: Request, error: ServiceError) -> Response:
    accept = request.headers.get("accept", "")
    return problem_response(error, surface=surface_of(request), accept=accept)


def _log_refusal(error: ServiceError) -> None:
    if isinstance(error, Rejected):
        log.info("request_refused", code=error.problem_code, **error.context)
    else:
        log.warning("request_failed", code=error.problem_code, **error.context)


def _malformed(details: Sequence[Any]) -> Malformed:
    kinds = {detail.get("type") for detail in details}
    if "json_invalid" in kinds:
        return Malformed("The body is not valid JSON.")
    if kinds & _NO_OBJECT and all(len(detail.get("loc", ())) == 1 for detail in details):
        return Malformed("The body must be a JSON object, sent as application/json.")
    errors = tuple(
        FieldError(field=_field_name(detail.get("loc", ())), message=_sentence(detail))
        for detail in details
    )
    names = ", ".join(error.field for error in errors) or "body"
    code = ProblemCode.MISSING_FIELD if kinds == {"missing"} else ProblemCode.INVALID_FIELD
    return Malformed(f"Missing or invalid: {names}.", code=code, errors=errors)


def _sentence(detail: Mapping[str, Any]) -> str:
    """Say what is wrong in words for clients, not for readers of our models."""
    text = str(detail.get("msg", "")).removeprefix("Value error, ")
    return text.replace("frozenset", "list").replace(" after validation", "")


def _field_name(location: Sequence[str | int]) -> str:
    # The first part says body, query or path; clients know their fields by the rest.
    return ".".join(str(part) for part in location[1:]) or "body"


def _from_status(status: int) -> ServiceError:
    fallback = Rejected if status < HTTPStatus.INTERNAL_SERVER_ERROR else Broken
    return FAMILY.get(status, fallback)()
