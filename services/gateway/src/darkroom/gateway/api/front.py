"""The front door: one plain ASGI callable that every public request passes, in a fixed order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from starlette.types import Receive, Scope, Send

from darkroom.contracts.claims import PASSPORT_HEADER, REQUEST_ID_HEADER
from darkroom.gateway.api.body import ClientGone
from darkroom.gateway.api.forward import Exchange
from darkroom.gateway.api.head import Head, read_head
from darkroom.gateway.api.health import PlatformHealth
from darkroom.gateway.api.line import Line, line_of
from darkroom.gateway.api.observe import Observation, is_tracing_on
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

# Addresses seen lately; hashing one anew costs a few microseconds.
_ADDRESSES: Final = 4_096
_IDENTITY: Final = frozenset({b"identity", b""})


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
        self._is_tracing = is_tracing_on()
        self._hash = lru_cache(_ADDRESSES)(lambda text: hash_address(text, resources.address_salt))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever happens, the caller gets an answer of ours."""
        head = read_head(scope)
        adopt_request_id(head.text(b"x-request-id"))
        with Observation(head, is_tracing=self._is_tracing) as observation:
            call = _Call(head, line_of(scope), observation, receive, send)
            if head.method == "OPTIONS":
                await call.answer(Reply(HTTPStatus.NO_CONTENT, list(PREFLIGHT_HEADERS), b""))
                return
            call.line.attend(asyncio.current_task())
            try:
                await self._serve(call)
            except ClientGone:
                observation.client_gone()
            except asyncio.CancelledError:
                if not call.line.is_lost:
                    raise
                observation.client_gone()
            except ServiceError as error:
                await call.refuse(error)
            except Exception:
                # The caller gets our shape; the server logs what it was and ends the connection.
                await call.refuse(Broken())
                raise
            finally:
                call.line.attend(None)

    async def _serve(self, call: "_Call") -> None:
        head, observation = call.head, call.observation
        match = self._match(head)
        route = match.route
        observation.route = route.pattern
        client = self._client(head)
        passport = await self._passport(route, head, client)
        self._check_body(route, head)
        if route.owner is Owner.GATEWAY:
            await call.answer(await self._health.reply())
            return
        exchange = Exchange(
            self._resources.upstream(route),
            head,
            call.line,
            limit=self._resources.body_bytes[route.body],
            receive=call.receive,
        )
        request_id = observation.request_id
        added = [(PASSPORT_HEADER, passport), (REQUEST_ID_HEADER, request_id)]
        added += observation.trace_headers()
        own = [*REPLY_HEADERS, (b"x-request-id", request_id.encode())]
        try:
            await exchange.run(match.path, client=client, added=added, reply=own, send=call.send)
        finally:
            observation.status = exchange.status

    def _match(self, head: Head) -> Match:
        found = self._table.find(head.method, head.raw_path)
        if found is None:
            raise NotFound
        if isinstance(found, WrongMethod):
            raise WrongMethodHere(found.allowed)
        return found

    def _client(self, head: Head) -> str:
        return self._hash(client_address(head.peer, head.all(b"x-forwarded-for"), self._trusted))

    async def _passport(self, route: Route, head: Head, client: str) -> str:
        resources = self._resources
        caller = ANONYMOUS
        if route.policy is not Policy.NONE:
            credentials = presented(head.headers, head.fields, route.surface)
            caller = await resources.identifier.identify(route, credentials)
        return resources.passports.passport(caller, surface=route.surface, client=client)

    def _check_body(self, route: Route, head: Head) -> None:
        """Refuse on the head alone what its body could not make good."""
        if head.fields.get(b"content-encoding", b"").strip().lower() not in _IDENTITY:
            raise Unsupported("Request bodies are accepted without a content coding only.")
        limit = self._resources.body_bytes[route.body]
        length = head.content_length
        # A route without a body ignores one; there is nothing to admit.
        if limit and length is not None and length > limit:
            raise TooLarge(f"The body is larger than {limit} bytes.")


@dataclass(slots=True)
class _Call:
    """One request on its way through the door."""

    head: Head
    line: Line
    observation: Observation
    receive: Receive
    send: Send

    async def answer(self, reply: Reply) -> None:
        self.observation.status = reply.status
        if self.head.announces_body and not self.line.is_body_complete:
            # The body will not be read, so the connection cannot carry another request.
            reply.headers.append(CLOSE)
        await reply.send(self.send)

    async def refuse(self, error: ServiceError) -> None:
        self.observation.refused(error)
        if self.observation.status:
            # The owner's reply has begun. Leaving it unfinished is what tells the client.
            return
        surface = surface_of(self.head.raw_path)
        accept = self.head.text(b"accept") or ""
        await self.answer(refusal(error, surface=surface, accept=accept))
