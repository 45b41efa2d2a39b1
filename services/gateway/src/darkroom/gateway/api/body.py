"""A request's body on its way through: counted, never kept."""

from collections.abc import AsyncIterator

from starlette.types import Receive

from darkroom.platform.errors import ServiceError, TooLarge


class ClientGone(ServiceError):
    """The client went away before its request had arrived; nobody reads this."""


class RequestBody:
    """Stream one body to its owner, no further than its limit."""

    def __init__(self, receive: Receive, *, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._received = 0
        self.is_complete = False
        # Why it ended early: inside the HTTP client the reason itself would be lost.
        self.failure: ServiceError | None = None

    async def whole_or_stream(self) -> bytes | AsyncIterator[bytes]:
        """Return a body that came in one piece with the head as it is, else a stream."""
        piece = await self._next()
        return piece if self.is_complete else self.stream(piece)

    async def stream(self, first: bytes = b"") -> AsyncIterator[bytes]:
        """Yield the pieces as they come; asking for one is what reads from the client."""
        if first:
            yield first
        while not self.is_complete:
            piece = await self._next()
            if piece:
                yield piece

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise self._fail(ClientGone())
        piece: bytes = message.get("body", b"")
        self._received += len(piece)
        if self._received > self._limit:
            raise self._fail(TooLarge())
        self.is_complete = not message.get("more_body", False)
        return piece

    def _fail(self, error: ServiceError) -> ServiceError:
        self.failure = error
        return error
