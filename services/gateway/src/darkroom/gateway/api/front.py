"""The front door: one plain ASGI callable that every public request passes, in a fixed order."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from starlette.types import Receive, Scope, Send

from darkroom.contracts.claims import PASSPORT_HEADER, REQUEST_ID_HEADER
from darkroom.contracts.surfaces import Surface
from darkroom.gateway.api.body import ClientGone
from darkroom.gateway.api.forward import Exchange
from darkroom.gateway.api.head import Head, read_head
from darkroom.gateway.api.health import PlatformHealth
from darkroom.gateway.api.line import Line, line_of
from darkroom.gateway.api.observe import Observation
from darkroom.gateway.api.replies import CLOSE, Reply, refusal
from darkroom.gateway.domain.address import Network, client_address, hash_address
from darkroom.gateway.domain.cors import PREFLIGHT_HEADERS, REPLY_HEADERS
from darkroom.gateway.domain.credential import presented
from darkroom.gateway.domain.errors import WrongMethodHere
from darkroom.gateway.domain.matching import Match, RouteTable, WrongMethod
from darkroom.gateway.domain.routes import Owner, Policy, Route
from darkroom.gateway.domain.surface import surface_of
from darkroom.gateway.operations.identify import ANONYMOUS
from darkroom.gateway.wiring import Resources
from darkroom.platform.errors import Broken, NotFound, ServiceError, TooLarge, Unsupported
from darkroom.platform.http.requests import adopt_request_id
from darkroom.platform.telemetry.logs import get_logger

# Addresses seen lately; hashing one anew costs a few microseconds.
_ADDRESSES: Final = 4_096
_IDENTITY: Final = frozenset({b"identity", b""})

log = get_logger()


class FrontDoor:
    """Answer requests: CORS, route, credential, size, then the owner."""

    def __init__(
        self,
        resources: Resources,
        health: PlatformHealth,
        *,
        table: RouteTable,
        trusted_proxies: Sequence[Network],
    ) -> None:
        self._resources = resources
        self._health = health
        self._table = table
        self._trusted = trusted_proxies
        self._hash = lru_cache(_ADDRESSES)(lambda text: hash_address(text, resources.address_salt))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever happens, the caller gets an answer of ours."""
        head, line = read_head(scope), line_of(scope)
        adopt_request_id(head.text(b"x-request-id"))
        with Observation(head) as observation:
            if head.method == "OPTIONS":
                observation.status = 204
                await Reply(204, list(PREFLIGHT_HEADERS), b"").send(send)
                return
            line.attend(asyncio.current_task())
            try:
                await self._serve(head, line, observation, receive, send)
            except ClientGone:
                observation.client_gone()
            except asyncio.CancelledError:
                if not line.is_lost:
                    raise
                observation.client_gone()
            except ServiceError as error:
                await _refuse(error, head, line, observation, send)
            except Exception as error:  # the edge: whatever it is, the caller gets a 500
                log.exception("request_broke", error=repr(error))
                await _refuse(Broken(), head, line, observation, send)
            finally:
                line.attend(None)

    async def _serve(
        self, head: Head, line: Line, observation: Observation, receive: Receive, send: Send
    ) -> None:
        match = self._match(head)
        route = match.route
        observation.route = route.pattern
        passport = await self._passport(route, head)
        self._check_body(route, head)
        if route.owner is Owner.GATEWAY:
            reply = await self._health.reply()
            observation.status = reply.status
            await reply.send(send)
            return
        request_id = observation.request_id
        exchange = Exchange(
            self._resources.upstreams[route.owner],
            head,
            line,
            limit=self._resources.body_bytes[route.body],
            receive=receive,
        )
        added = [(PASSPORT_HEADER, passport), (REQUEST_ID_HEADER, request_id)]
        added += observation.trace_headers()
        own = [*REPLY_HEADERS, (b"x-request-id", request_id.encode())]
        try:
            await exchange.run(match.path, added=added, reply=own, send=send)
        finally:
            observation.status = exchange.status

    def _match(self, head: Head) -> Match:
        found = self._table.find(head.method, head.raw_path)
        if found is None:
            raise NotFound
        if isinstance(found, WrongMethod):
            raise WrongMethodHere(found.allowed)
        return found

    async def _passport(self, route: Route, head: Head) -> str:
        resources = self._resources
        caller = ANONYMOUS
        if route.policy is not Policy.NONE:
            credentials = presented(head.headers, head.fields, route.surface)
            caller = await resources.identifier.identify(route, credentials)
        client = client_address(head.peer, head.all(b"x-forwarded-for"), self._trusted)
        return resources.passports.passport(
            caller, surface=route.surface, client=self._hash(client)
        )

    def _check_body(self, route: Route, head: Head) -> None:
        """Refuse on the head alone what its body could not make good."""
        if head.fields.get(b"content-encoding", b"").strip().lower() not in _IDENTITY:
            raise Unsupported("Request bodies are accepted without a content coding only.")
        limit = self._resources.body_bytes[route.body]
        length = head.content_length
        # A route without a body ignores one; there is nothing to admit.
        if limit and length is not None and length > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")


async def _refuse(
    error: ServiceError, head: Head, line: Line, observation: Observation, send: Send
) -> None:
    observation.refused(error)
    if observation.status:
        # The owner's reply has begun. Leaving it unfinished is what tells the client.
        return
    surface: Surface = surface_of(head.raw_path)
    reply = refusal(error, surface=surface, accept=head.text(b"accept") or "")
    observation.status = reply.status
    if head.announces_body and not line.is_body_complete:
        reply.headers.append(CLOSE)
    await reply.send(send)
