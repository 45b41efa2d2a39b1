"""Objects in any S3 server: SeaweedFS, rclone, Ceph, a cloud's own.

Needs: path-style addressing, an explicit region, and the permissions PutObject, GetObject,
DeleteObject and ListBucket; CreateBucket only where the bucket is not there yet. Each object is
written by one PUT, so 5 GB is the most it can hold. No checksum trailers and no ACLs are sent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar
from xml.etree import ElementTree as ET

from darkroom.platform.errors import BadReply, Unavailable
from darkroom.platform.settings import S3Settings
from darkroom.platform.storage.blobs import Content, Listed, Stored
from darkroom.platform.storage.s3_bodies import body_length, write_file
from darkroom.platform.storage.s3_replies import (
    absent,
    etag,
    listed,
    range_header,
    unexpected,
    whole_size,
)
from darkroom.platform.storage.s3_requests import (
    TOTAL_SECONDS,
    Refusal,
    S3Reply,
    S3Requests,
    before_next_try,
    error_code,
    open_requests,
)

# The slowest link to a store worth waiting for, in bytes a second.
_SLOWEST_PUT: Final = 1_000_000
# A browser shows nothing for this long; then a plain 503 is better than more silence.
_OPEN_SECONDS: Final = 5.0
_BUCKET_IS_THERE: Final = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class S3BlobReader:
    """Read an object as it arrives."""

    size: int
    etag: str
    reply: S3Reply

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes asked for; raises Unavailable when the store goes away."""
        return self.reply.chunks()


class S3BlobStore:
    """Keep objects in one bucket, which is made when it turns out to be missing."""

    def __init__(self, requests: S3Requests) -> None:
        self._requests = requests

    async def put(self, key: str, body: Content, *, media_type: str) -> Stored:
        """Store an object.

        When no try was answered, HEAD decides: a key names its content, so an object of the right
        size is the one that was sent.
        """
        size = body_length(body)
        headers, seconds = {"content-type": media_type}, TOTAL_SECONDS + size / _SLOWEST_PUT

        async def send() -> Stored:
            async with self._requests.send(
                "PUT", key, headers=headers, body=body, seconds=seconds
            ) as reply:
                return Stored(key, size, etag(reply))

        try:
            return await self._in_bucket(send)
        except Unavailable:
            stored = await self._head_once(key)
            if stored is None or stored.size_bytes != size:
                raise
            return stored

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[S3BlobReader]:
        """Open a part of an object; opening is tried again, reading is not.

        Somebody waits for the first byte: the tries together take no longer than they would.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_OPEN_SECONDS):
                    reader = await _repeated(
                        lambda: self._open_once(stack, key, start, stop), key=key
                    )
            except TimeoutError as error:
                raise Unavailable(key=key) from error
            yield reader

    async def fetch_to(self, key: str, path: Path) -> None:
        """Write an object to a file, from the start again when the store goes away on the way."""

        async def fetch() -> None:
            async with AsyncExitStack() as stack:
                reader = await self._open_once(stack, key, 0, None)
                await write_file(path, reader.chunks())

        await _repeated(fetch, key=key)

    async def copy(self, source: str, target: str) -> None:
        """Copy an object; a copy can fail under a 200, and only its document says so."""
        headers = {"x-amz-copy-source": self._requests.source(source)}

        async def send() -> None:
            async with self._requests.send("PUT", target, headers=headers) as reply:
                if code := error_code(await reply.read()):
                    raise Unavailable(key=target, s3_code=code)

        try:
            await _repeated(send, key=target)
        except Refusal as refusal:
            raise absent(source, refusal) from refusal
        except Unavailable:
            before, after = await self._head_once(source), await self._head_once(target)
            if before is None or after is None or before.etag != after.etag:
                raise

    async def head(self, key: str) -> Stored | None:
        """Describe an object, or return None."""
        return await _repeated(lambda: self._head_once(key), key=key)

    async def delete(self, key: str) -> None:
        """Remove an object; absent is fine."""

        async def send() -> None:
            async with self._requests.send("DELETE", key):
                pass

        try:
            await _repeated(send, key=key)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise unexpected(key, refusal) from refusal

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        """Yield the objects below a prefix, a thousand a request."""
        query = {"list-type": "2", "max-keys": "1000", "prefix": prefix}
        while True:
            page = await self._page(query)
            for entry in page.iterfind("{*}Contents"):
                yield listed(entry)
            token = page.findtext("{*}NextContinuationToken")
            if not token:
                return
            query = query | {"continuation-token": token}

    async def check(self) -> None:
        """Raise Unavailable unless the store answers; makes the bucket where there is none."""

        async def send() -> None:
            async with self._requests.send("HEAD"):
                pass

        await self._in_bucket(send)

    async def _head_once(self, key: str) -> Stored | None:
        try:
            async with self._requests.send("HEAD", key) as reply:
                return Stored(key, int(reply.headers["content-length"]), etag(reply))
        except Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise unexpected(key, refusal) from refusal
            return None

    async def _open_once(
        self, stack: AsyncExitStack, key: str, start: int, stop: int | None
    ) -> S3BlobReader:
        request = self._requests.send("GET", key, headers=range_header(start, stop), seconds=None)
        try:
            reply = await stack.enter_async_context(request)
        except Refusal as refusal:
            raise absent(key, refusal) from refusal
        return S3BlobReader(whole_size(reply), etag(reply), reply)

    async def _page(self, query: dict[str, str]) -> ET.Element:
        async def send() -> bytes:
            async with self._requests.send("GET", query=query) as reply:
                return await reply.read()

        document = await self._in_bucket(send)
        try:
            return ET.fromstring(document)  # noqa: S314 our own store, a page at a time
        except ET.ParseError as error:
            raise BadReply(prefix=query["prefix"]) from error

    async def _in_bucket(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send, and once more after making the bucket when that is what is missing."""
        try:
            return await _repeated(send)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise unexpected("", refusal) from refusal
        await self._make_bucket()
        try:
            return await _repeated(send)
        except Refusal as refusal:
            raise unexpected("", refusal) from refusal

    async def _make_bucket(self) -> None:
        async def send() -> None:
            async with self._requests.send("PUT"):
                pass

        try:
            await _repeated(send)
        except Refusal as refusal:
            if refusal.code not in _BUCKET_IS_THERE:
                raise unexpected("", refusal) from refusal


@asynccontextmanager
async def open_s3(settings: S3Settings) -> AsyncIterator[S3BlobStore]:
    """Open the store; nothing connects before first use."""
    async with open_requests(settings) as requests:
        yield S3BlobStore(requests)


async def _repeated(send: Callable[[], Awaitable[Answer]], **fields: object) -> Answer:
    number = 1
    while True:
        try:
            return await send()
        except Unavailable as error:
            await before_next_try(number, error, **fields)
        number += 1
