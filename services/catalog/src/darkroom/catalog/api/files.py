"""Writing a stored file as an HTTP reply: validators, ranges, and headers that keep it harmless."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from darkroom.catalog.domain.conditional import (
    NotSatisfiable,
    Span,
    choose_span,
    http_date,
    is_unchanged,
    strong_etag,
)
from darkroom.catalog.domain.delivery import Delivery, StoredFile
from darkroom.catalog.domain.errors import ObjectLost
from darkroom.contracts.problems import Problem, ProblemCode, body_for, media_type_for
from darkroom.platform.http.problems import surface_of
from darkroom.platform.http.requests import current_request_id
from darkroom.platform.storage.blobs import BlobMissing, BlobReader, BlobStore
from darkroom.platform.telemetry.logs import get_logger

# A file of ours is a picture and nothing else: no script runs in it, no sniffing makes it one.
SAFETY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
)

log = get_logger()


async def reply_with(delivery: Delivery, request: Request, blobs: BlobStore) -> Response:
    """Answer from the row alone where that is enough; only bytes are asked of the store."""
    file, headers = delivery.file, _headers(delivery)
    if _is_unchanged(request, file):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers |= {"Accept-Ranges": "bytes", "Content-Disposition": file.disposition}
    if request.method == "HEAD":
        # RFC 9110 gives ranges a meaning for GET alone.
        await _check_stored(file, blobs)
        return _head(file, headers)
    try:
        span = _choose_span(request, file)
    except NotSatisfiable:
        return _not_satisfiable(request, file)
    return BlobResponse(blobs, file, span, headers=headers)


class BlobResponse(StreamingResponse):
    """Open the object before the head goes out, so that an absent one is an error and no stub."""

    def __init__(
        self, blobs: BlobStore, file: StoredFile, span: Span | None, *, headers: Mapping[str, str]
    ) -> None:
        sent = span or Span(0, file.size_bytes)
        status = HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT
        headers = {**headers, "Content-Length": str(sent.size)}
        if span is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{file.size_bytes}"
        # The body is set once the object is open.
        super().__init__((), status, headers, media_type=file.format.media_type)
        self._blobs = blobs
        self._file = file
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            self.body_iterator = (await self._open(stack)).chunks()
            await super().__call__(scope, receive, send)

    async def _open(self, stack: AsyncExitStack) -> BlobReader:
        start, stop = (0, None) if self._span is None else (self._span.start, self._span.stop)
        opening = self._blobs.open(self._file.key, start=start, stop=stop)
        try:
            reader = await stack.enter_async_context(opening)
        except (BlobMissing, ValueError) as error:
            raise _lost(self._file) from error
        if reader.size != self._file.size_bytes:
            raise _lost(self._file)
        return reader


def _head(file: StoredFile, headers: Mapping[str, str]) -> Response:
    length = {"Content-Length": str(file.size_bytes)}
    return Response(headers={**headers, **length}, media_type=file.format.media_type)


async def _check_stored(file: StoredFile, blobs: BlobStore) -> None:
    stored = await blobs.head(file.key)
    if stored is None or stored.size_bytes != file.size_bytes:
        raise _lost(file)


def _lost(file: StoredFile) -> ObjectLost:
    """Say that the row and the store disagree; it is logged, for someone must look."""
    log.error("object_lost", key=file.key)
    return ObjectLost(key=file.key)


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        **SAFETY,
        "ETag": strong_etag(delivery.file.sha256),
        "Last-Modified": http_date(delivery.file.modified_at),
        "Cache-Control": delivery.caching,
    }


def _is_unchanged(request: Request, file: StoredFile) -> bool:
    # A repeated field is one list, by RFC 9110.
    tags = request.headers.getlist("if-none-match")
    return is_unchanged(
        if_none_match=", ".join(tags) if tags else None,
        if_modified_since=request.headers.get("if-modified-since"),
        etag=strong_etag(file.sha256),
        modified_at=file.modified_at,
    )


def _choose_span(request: Request, file: StoredFile) -> Span | None:
    return choose_span(
        range_header=request.headers.get("range"),
        if_range=request.headers.get("if-range"),
        etag=strong_etag(file.sha256),
        modified_at=file.modified_at,
        size=file.size_bytes,
    )


def _not_satisfiable(request: Request, file: StoredFile) -> Response:
    media_type = media_type_for(request.headers.get("accept", ""))
    problem = Problem(
        status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        code=ProblemCode.RANGE_NOT_SATISFIABLE,
        message="No byte of the file lies in this range.",
        request_id=current_request_id(),
    )
    return JSONResponse(
        body_for(surface_of(request), problem, media_type=media_type),
        status_code=problem.status,
        headers={
            "Content-Range": f"bytes */{file.size_bytes}",
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-store",
        },
        media_type=media_type,
    )
