"""JSON bodies are small: a route of this class reads at most 1 MB and refuses the rest unread."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from darkroom.platform.errors import TooLarge

# What the HTTP contract gives JSON on every surface.
MAX_BODY_BYTES: Final = 1_000_000


class SmallBodyRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_small(request: Request) -> Response:
            body = await _read(request)
            return await answer(Request(request.scope, _replay(body, request.receive)))

        return answer_small


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
        raise TooLarge(announced=announced)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge
    return bytes(body)


def _replay(
    body: bytes, receive: Callable[[], Awaitable[Message]]
) -> Callable[[], Awaitable[Message]]:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
