"""The gateway's own replies: refusals in the surface's shape, as bytes or as ASGI messages."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.types import Send

from darkroom.contracts.problems import Problem, body_for, media_type_for
from darkroom.contracts.surfaces import Surface
from darkroom.gateway.domain.cors import REPLY_HEADERS
from darkroom.gateway.domain.errors import HeadersTooLarge, UrlTooLong, WrongMethodHere
from darkroom.gateway.domain.headers import Header
from darkroom.platform.errors import ServiceError
from darkroom.platform.http.problems import problem_headers, status_of
from darkroom.platform.http.requests import current_request_id

# What no inner service can answer; everything else has its status in platform's table.
STATUS: Final[Mapping[type[ServiceError], int]] = {
    WrongMethodHere: 405,
    UrlTooLong: 414,
    HeadersTooLarge: 431,
}
CLOSE: Final[Header] = (b"connection", b"close")


class Reply:
    """A short reply that is complete before it is sent."""

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        self.status = status
        self.headers = [
            *headers,
            *REPLY_HEADERS,
            (b"x-request-id", current_request_id().encode()),
        ]
        if status != HTTPStatus.NO_CONTENT:
            self.headers.append((b"content-length", str(len(body)).encode()))
        self.body = body

    async def send(self, send: Send) -> None:
        """Send it as ASGI messages; the server leaves the body out for HEAD."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})

    def encode(self) -> bytes:
        """Return it as the bytes of an HTTP/1.1 reply."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [b"%s: %s" % header for header in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def refusal(error: ServiceError, *, surface: Surface, accept: str) -> Reply:
    """Shape an error as the surface documents it, or as RFC 9457 when the client asks for that."""
    media_type = media_type_for(accept)
    problem = Problem(
        status=STATUS.get(type(error)) or status_of(error),
        code=error.problem_code,
        message=error.message,
        request_id=current_request_id(),
        errors=error.errors,
    )
    headers = [(b"content-type", media_type.encode())]
    headers += [(k.lower().encode(), v.encode()) for k, v in problem_headers(error).items()]
    if isinstance(error, WrongMethodHere):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    body = json.dumps(body_for(surface, problem, media_type=media_type), ensure_ascii=False)
    return Reply(problem.status, headers, body.encode())
