"""Signed S3 requests over one keep-alive pool: minio signs, aiohttp carries."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit
from xml.etree import ElementTree as ET

import aiohttp
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3
from yarl import URL

from darkroom.platform.errors import Broken, Unavailable
from darkroom.platform.http.client import cause_of
from darkroom.platform.settings import S3Settings
from darkroom.platform.storage.s3_bodies import CHUNK_BYTES, Body, body_length, pieces
from darkroom.platform.telemetry.logs import get_logger

# Together with the waits between them these outlast a restart of the store, hardly an outage.
TRIES: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.2
# A store on the same network accepts within a second.
_CONNECT_SECONDS: Final = 2.0
# The longest a healthy store keeps silent: it answers a PUT after it has hashed and placed it.
_SILENCE_SECONDS: Final = 15.0
# A request without a large body; a copy of the largest object takes a few seconds on one disk.
TOTAL_SECONDS: Final = 30.0
# Servers close idle connections after a minute or later; a closed one costs a try.
_KEEP_ALIVE_SECONDS: Final = 30.0
_POOL_SIZE: Final = 64
# The longest error document any server sends is a few hundred bytes.
_ERROR_BYTES: Final = 16_384
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_LATER: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})

log = get_logger()


class Refusal(Exception):
    """Carry an S3 error the store's operation decides about: its status and code."""

    def __init__(self, status: int, code: str) -> None:
        self.status = status
        self.code = code
        super().__init__(f"{status} {code}")


class S3Reply:
    """Hold a good reply whose body has not been read yet."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply
        self.headers = reply.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raises Unavailable when the store goes away."""
        with _outages(self._reply.url.authority):
            async for chunk in self._reply.content.iter_chunked(CHUNK_BYTES):
                yield chunk

    async def read(self) -> bytes:
        """Return the whole body, of a document; raises Unavailable as `chunks` does."""
        with _outages(self._reply.url.authority):
            return await self._reply.read()


@dataclass(frozen=True, slots=True)
class S3Requests:
    """Send requests about one bucket and its objects; safe to share between tasks."""

    session: aiohttp.ClientSession
    settings: S3Settings

    @asynccontextmanager
    async def send(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        seconds: float | None = TOTAL_SECONDS,
    ) -> AsyncIterator[S3Reply]:
        """Send one request once; raises Refusal for a 4xx and Unavailable for what may pass.

        `seconds` bounds the request as a whole; None leaves only the bound on silence.
        """
        url, signed = self._signed(method, key, query=query or {}, headers=headers or {}, body=body)
        timeout = aiohttp.ClientTimeout(
            total=seconds, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS
        )
        with _outages(self.settings.endpoint):
            reply = await self.session.request(
                method,
                url,
                headers=signed,
                data=pieces(body),
                timeout=timeout,
                allow_redirects=False,
            )
        try:
            await _raise_for_status(reply)
            yield S3Reply(reply)
        finally:
            reply.release()

    def source(self, key: str) -> str:
        """Name an object of the bucket as the source of a copy."""
        return quote(f"/{self.settings.bucket}/{key}", safe="/-_.~")

    def _signed(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Body,
    ) -> tuple[URL, dict[str, str]]:
        now = datetime.now(UTC)
        url = self._url(key, query)
        wanted: dict[str, str | list[str] | tuple[str]] = {
            **headers,
            "host": url.netloc,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": _UNSIGNED,
            **({} if body is None else {"content-length": str(body_length(body))}),
        }
        signed = sign_v4_s3(
            method=method,
            url=url,
            region=self.settings.region,
            headers=wanted,
            credentials=Credentials(
                self.settings.access_key, self.settings.secret_key.get_secret_value()
            ),
            content_sha256=_UNSIGNED,
            date=now,
        )
        return URL(url.geturl(), encoded=True), {n: str(v) for n, v in signed.items()}

    def _url(self, key: str, query: Mapping[str, str]) -> SplitResult:
        endpoint = urlsplit(self.settings.endpoint)
        path = f"{endpoint.path.rstrip('/')}/{self.settings.bucket}"
        path += f"/{quote(key, safe='/-_.~')}" if key else ""
        pairs = (f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in query.items())
        return SplitResult(endpoint.scheme, endpoint.netloc, path, "&".join(pairs), "")


@asynccontextmanager
async def open_requests(settings: S3Settings) -> AsyncIterator[S3Requests]:
    """Open the pool; nothing connects before first use."""
    connector = aiohttp.TCPConnector(limit=_POOL_SIZE, keepalive_timeout=_KEEP_ALIVE_SECONDS)
    async with aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=("accept-encoding", "content-type"),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield S3Requests(session, settings)


async def before_next_try(number: int, error: Unavailable, **fields: object) -> None:
    """Wait between two tries, longer each time and never in step with others.

    Raises the error again when there is no try left; `number` counts from 1.
    """
    if number >= TRIES:
        raise error
    log.warning("blob_store_retried", number=number, **(fields | error.context))
    wait = _FIRST_WAIT_SECONDS * 3 ** (number - 1)
    await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 jitter is no secret


@contextmanager
def _outages(store: str) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        # Such an error may quote the request, and with it the signature: nothing of it goes on.
        raise Unavailable(store=store, error=cause_of(error)) from None


async def _raise_for_status(reply: aiohttp.ClientResponse) -> None:
    if reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    with _outages(reply.url.authority):
        code = error_code(await reply.content.read(_ERROR_BYTES))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in _LATER:
        # A wrong credential or clock is ours to mend: whoever waits for the object loses nothing.
        raise Unavailable(store=reply.url.authority, status=reply.status, s3_code=code)
    if reply.status < HTTPStatus.BAD_REQUEST:
        raise Broken(store=reply.url.authority, status=reply.status)
    raise Refusal(reply.status, code)


def error_code(document: bytes) -> str:
    """Return the code of an S3 error document, or nothing when it is none."""
    try:
        root = ET.fromstring(document)  # noqa: S314 our own store; 16 kB at most
    except ET.ParseError:
        return ""
    return root.findtext("{*}Code") or root.findtext("Code") or ""
