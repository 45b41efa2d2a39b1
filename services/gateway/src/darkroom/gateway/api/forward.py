"""The data path: one request out to its owner, one reply back, both streaming."""

from collections.abc import AsyncIterator
from time import monotonic
from typing import Final

import aiohttp
from starlette.types import Receive, Send

from darkroom.gateway.api.body import RequestBody
from darkroom.gateway.api.head import Head
from darkroom.gateway.api.line import Line
from darkroom.gateway.api.replies import CLOSE
from darkroom.gateway.domain.headers import Header, connection_options, inward, outward
from darkroom.gateway.operations.upstream import Upstream
from darkroom.platform.errors import BadReply, ServiceError, TimedOut, Unavailable
from darkroom.platform.http.client import cause_of

_NO_OPTIONS: Final[frozenset[bytes]] = frozenset()


class Exchange:
    """One forwarded request. `status` is that of the reply, 0 until its head has gone out."""

    def __init__(
        self, upstream: Upstream, head: Head, line: Line, *, limit: int, receive: Receive
    ) -> None:
        self._upstream = upstream
        self._head = head
        self._line = line
        self._limit = limit
        self._body = RequestBody(receive, limit=limit)
        self.status = 0

    async def run(
        self,
        path: str,
        *,
        client: str,
        added: list[tuple[str, str]],
        reply: list[Header],
        send: Send,
    ) -> None:
        """Forward to a path with added headers; pass the reply on, with headers of our own.

        Raises TooManyAtOnce for a client that holds its share already, and Unavailable, TimedOut
        or BadReply for a service that fails; when that is after its reply began, cutting the
        connection short is the one thing a client can still see.
        """
        upstream = self._upstream
        if not upstream.breaker.admits(monotonic()):
            raise Unavailable(upstream=upstream.name, cause="breaker")
        # Nobody holds a connection for a client that has sent nothing of its body yet.
        payload = await self._payload()
        async with upstream.slot(client):
            try:
                answer = await self._ask(path, added, payload)
                try:
                    await self._relay(answer, reply, send)
                finally:
                    if not answer.closed:
                        answer.close()
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise self._reason(error) from error

    async def _ask(
        self, path: str, added: list[tuple[str, str]], payload: bytes | AsyncIterator[bytes] | None
    ) -> aiohttp.ClientResponse:
        head = self._head
        options = head.all(b"connection")
        headers = inward(
            head.headers,
            named_by_connection=connection_options(options) if options else _NO_OPTIONS,
        )
        headers += added
        if payload is not None and head.content_length is not None:
            headers.append(("content-length", str(head.content_length)))
        return await self._upstream.session.request(
            head.method,
            self._upstream.url(path, head.query),
            headers=headers,
            data=payload,
            allow_redirects=False,
        )

    async def _payload(self) -> bytes | AsyncIterator[bytes] | None:
        head = self._head
        if not self._limit or not head.announces_body:
            # Where no body is expected one is ignored, as HTTP has it for GET and DELETE.
            return None
        if b"expect" in head.fields:
            # Reading is what tells the client to send; the service must be reached before that.
            return self._body.stream()
        return await self._body.whole_or_stream()

    async def _relay(self, answer: aiohttp.ClientResponse, reply: list[Header], send: Send) -> None:
        headers = outward(answer.raw_headers)
        headers += reply
        if self._head.announces_body and not self._has_whole_body():
            # The service answered early, as to a body that is too large. What is still coming
            # will not be read, so this connection cannot carry another request.
            headers.append(CLOSE)
        self.status = answer.status
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        content = answer.content
        while True:
            piece = b"" if content.at_eof() else await content.readany()
            is_last = content.at_eof()
            await send({"type": "http.response.body", "body": piece, "more_body": not is_last})
            if is_last:
                return

    def _has_whole_body(self) -> bool:
        return self._body.is_complete or self._line.is_body_complete

    def _reason(self, error: Exception) -> ServiceError:
        if self._body.failure is not None:
            return self._body.failure
        name, cause = self._upstream.name, cause_of(error)
        if isinstance(error, TimeoutError) and not isinstance(
            error, aiohttp.ConnectionTimeoutError
        ):
            return TimedOut(upstream=name, cause=cause)
        if isinstance(error, aiohttp.ClientConnectionError):
            return Unavailable(upstream=name, cause=cause)
        return BadReply(upstream=name, cause=cause)
