"""What the gateway holds open: pools to its neighbours, the broker, keys and memories."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from darkroom.contracts.claims import Principal
from darkroom.contracts.credentials import KEY_CHECK_PATH, SESSION_KEYS_PATH, KeyHolder
from darkroom.gateway.domain.breaker import Breaker
from darkroom.gateway.domain.routes import Body, Owner, Route
from darkroom.gateway.domain.shares import Shares
from darkroom.gateway.operations.identify import Identifier
from darkroom.gateway.operations.keys import KeyBook, KeyCheck
from darkroom.gateway.operations.upstream import Upstream, WatchedConnector
from darkroom.gateway.operations.vouch import PassportOffice
from darkroom.gateway.settings import GatewaySettings, LimitSettings, UpstreamSettings
from darkroom.platform.auth.keyfiles import load_or_create_secret
from darkroom.platform.auth.keys import (
    SigningKey,
    load_or_create_signing_key,
    open_remote_key_set,
)
from darkroom.platform.auth.passport import PassportSigner
from darkroom.platform.auth.sessions import SessionVerifier
from darkroom.platform.errors import Unavailable
from darkroom.platform.http.client import InternalClient, open_internal_client
from darkroom.platform.messaging.jetstream import JetStream, open_jetstream

# Shorter than the 75 s a service keeps an idle connection, so that none it has closed is reused.
_KEEP_ALIVE_SECONDS: Final = 30.0
# A key check is one indexed look-up; a caller waits for it only once in half a minute.
_KEY_CHECK_SECONDS: Final = 2.0
_SALT_BYTES: Final = 32
# Large enough for a reply of most images' size to pass in few pieces, small enough to stay flat.
_READ_BYTES: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a request needs."""

    upstreams: Mapping[Owner, Upstream]
    # Catalog once more, through a pool of its own: who reads pictures slowly takes nothing from
    # the calls beside them.
    media: Upstream
    identifier: Identifier
    passports: PassportOffice
    keys: KeyBook
    bus: JetStream
    signing_key: SigningKey
    body_bytes: Mapping[Body, int]
    address_salt: bytes

    def upstream(self, route: Route) -> Upstream:
        """Return the pool a route's requests go through."""
        return self.media if route.media else self.upstreams[route.owner]


@asynccontextmanager
async def open_resources(settings: GatewaySettings) -> AsyncIterator[Resources]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        upstreams = {
            name: await enter(_open_upstream(name, base, settings.upstreams))
            for name, base in _bases(settings.upstreams).items()
        }
        media = await enter(_open_media(settings))
        auth_url = settings.upstreams.auth.rstrip("/")
        auth = await enter(open_internal_client(auth_url, timeout_seconds=_KEY_CHECK_SECONDS))
        session_keys = await enter(open_remote_key_set(auth_url + SESSION_KEYS_PATH))
        bus = await enter(open_jetstream(settings.nats, name="gateway"))
        keys = KeyBook(_key_check(auth), hears_revocations=lambda: not bus.is_away)
        signing_key = load_or_create_signing_key(settings.passport_key_file)
        yield Resources(
            upstreams=upstreams,
            media=media,
            identifier=Identifier(keys, SessionVerifier(session_keys)),
            passports=PassportOffice(PassportSigner(signing_key)),
            keys=keys,
            bus=bus,
            signing_key=signing_key,
            body_bytes=_body_bytes(settings.limits),
            address_salt=_address_salt(settings),
        )


def _bases(settings: UpstreamSettings) -> Mapping[Owner, str]:
    return {
        Owner.AUTH: settings.auth,
        Owner.UPLOAD: settings.upload,
        Owner.CATALOG: settings.catalog,
    }


def _body_bytes(limits: LimitSettings) -> Mapping[Body, int]:
    return {Body.NONE: 0, Body.JSON: limits.json_bytes, Body.UPLOAD: limits.upload_bytes}


def _address_salt(settings: GatewaySettings) -> bytes:
    if settings.address_salt_file is None:
        return secrets.token_bytes(_SALT_BYTES)
    return load_or_create_secret(settings.address_salt_file, length=_SALT_BYTES)


def _open_media(settings: GatewaySettings) -> AbstractAsyncContextManager[Upstream]:
    upstreams = settings.upstreams
    return _open_upstream(
        Owner.CATALOG,
        upstreams.catalog,
        upstreams,
        connections=upstreams.media_connections,
        each=settings.limits.media_replies_per_address,
    )


@asynccontextmanager
async def _open_upstream(
    name: Owner,
    base: str,
    settings: UpstreamSettings,
    *,
    connections: int | None = None,
    each: int | None = None,
) -> AsyncIterator[Upstream]:
    connections = connections or settings.connections
    breaker = Breaker()
    timeout = aiohttp.ClientTimeout(
        total=None,
        # Also bounds the look-up of the service's name.
        connect=2 * settings.connect_seconds,
        sock_connect=settings.connect_seconds,
        sock_read=settings.reply_seconds,
    )
    async with aiohttp.ClientSession(
        connector=WatchedConnector(breaker, keep_alive_seconds=_KEEP_ALIVE_SECONDS),
        timeout=timeout,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        read_bufsize=_READ_BYTES,
        # Proxy variables of the environment are for the outside world, not for neighbours.
        trust_env=False,
    ) as session:
        yield Upstream(
            name,
            base.rstrip("/"),
            session,
            breaker,
            slots=asyncio.Semaphore(connections),
            shares=Shares(each or connections),
            wait_seconds=settings.connection_wait_seconds,
        )


def _key_check(auth: InternalClient) -> KeyCheck:
    async def check(key: str) -> Principal | None:
        reply = await auth.call("POST", KEY_CHECK_PATH, body={"key": key})
        if reply.status == HTTPStatus.OK:
            return reply.parse(KeyHolder).principal
        if reply.status == HTTPStatus.UNAUTHORIZED:
            return None
        raise Unavailable(neighbour=auth.base_url, status=reply.status)

    return check
