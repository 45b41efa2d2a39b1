"""Refusals the app never hears of: the request could not be read, or not in time."""

import re
from collections.abc import Sequence
from typing import Final

from darkroom.gateway.api.replies import CLOSE, refusal
from darkroom.gateway.domain.cors import ALLOWED_METHODS
from darkroom.gateway.domain.errors import BadFraming, WrongMethodHere
from darkroom.gateway.domain.headers import Header
from darkroom.gateway.domain.matching import RouteTable, WrongMethod
from darkroom.gateway.domain.surface import surface_of
from darkroom.platform.errors import NotFound, ServiceError
from darkroom.platform.http.requests import adopt_request_id
from darkroom.platform.telemetry.logs import get_logger

# `METHOD target HTTP/1.x`, whatever the method is.
_REQUEST_LINE: Final = re.compile(rb"[A-Za-z-]{1,32} (\S{1,8192}) HTTP/1")
# No method is called so; the table then tells which ones the path is there for.
_NO_METHOD: Final = ""

log = get_logger()


def refusal_bytes(error: ServiceError, *, url: bytes, headers: Sequence[Header]) -> bytes:
    """Return a whole reply in the shape of the surface the URL belongs to, as far as it came."""
    fields = dict(headers)
    adopt_request_id(
        fields[b"x-request-id"].decode("latin-1") if b"x-request-id" in fields else None
    )
    accept = fields.get(b"accept", b"").decode("latin-1")
    reply = refusal(error, surface=surface_of(path_of(url)), accept=accept)
    reply.headers.append(CLOSE)
    log.info("connection_refused", code=error.problem_code, status=reply.status)
    return reply.encode()


def error_for_method(table: RouteTable, url: bytes) -> ServiceError:
    """Return why a method nobody knows is refused at this URL; with none, it was no method."""
    if not url:
        return BadFraming()
    found = table.find(_NO_METHOD, path_of(url))
    if isinstance(found, WrongMethod):
        return WrongMethodHere(found.allowed)
    # `CONNECT host:port` names no path of ours.
    return NotFound() if url.startswith(b"/") else WrongMethodHere(ALLOWED_METHODS)


def target_of(received: bytes) -> bytes:
    """Return the target of a request line the parser gave up on, or nothing."""
    line = _REQUEST_LINE.match(received)
    return b"" if line is None else line[1]


def path_of(url: bytes) -> str:
    """Return the path of a request target in origin or absolute form, unchecked."""
    target = url.decode("latin-1").partition("?")[0]
    _, separator, rest = target.partition("://")
    if target.startswith("/") or not separator:
        return target
    return "/" + rest.partition("/")[2]
