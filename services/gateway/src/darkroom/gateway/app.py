"""The gateway process: the front door on the public port, probes and keys on the service port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from darkroom.gateway.api import passport_keys
from darkroom.gateway.api.front import FrontDoor
from darkroom.gateway.api.health import PlatformHealth
from darkroom.gateway.api.listen.service_port import open_service_port
from darkroom.gateway.domain.door import Doorkeeper, DoorRules
from darkroom.gateway.domain.framing import HeadLimits
from darkroom.gateway.domain.matching import RouteTable
from darkroom.gateway.domain.routes import ROUTES
from darkroom.gateway.events import listen
from darkroom.gateway.settings import GatewaySettings
from darkroom.gateway.wiring import open_resources
from darkroom.platform.errors import Unavailable
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service


class GatewayApp:
    """What the public server serves.

    Requests go straight to the front door, past any router; the FastAPI app beside it has the
    process's life and the service port.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._front: FrontDoor | None = None
        self.table = RouteTable(ROUTES)
        self.doorkeeper = Doorkeeper(_door_rules(settings))
        # Asks no neighbour: were every replica unready while one service is away, what the
        # others can still do would be away with it. `/health` tells about the services.
        readiness = Readiness()
        readiness.add("listener", self._check_listening)
        self.service = build_service("gateway", readiness=readiness, lifespan=self._lifespan)
        self.service.include_router(passport_keys.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the process's life."""
        if scope["type"] == "http" and self._front is not None:
            await self._front(scope, receive, send)
        else:
            await self.service(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, service: FastAPI) -> AsyncIterator[None]:
        async with open_resources(self._settings) as resources:
            await listen(resources)
            service.state.resources = resources
            self._front = FrontDoor(
                resources,
                PlatformHealth(resources),
                table=self.table,
                trusted_proxies=self._settings.trusted_proxies,
            )
            async with open_service_port(service, self._settings.admin) as port:
                service.state.service_port = port
                yield

    async def _check_listening(self) -> None:
        if self.doorkeeper.is_draining:
            raise Unavailable(cause="draining")


def create_app(settings: GatewaySettings) -> GatewayApp:
    return GatewayApp(settings)


def _door_rules(settings: GatewaySettings) -> DoorRules:
    limits = settings.limits
    return DoorRules(
        head=HeadLimits(limits.url_bytes, limits.header_bytes, limits.header_count),
        head_seconds=limits.head_seconds,
        body_bytes_per_second=limits.body_bytes_per_second,
        body_grace_seconds=limits.body_grace_seconds,
        body_seconds=limits.body_seconds,
        reply_bytes_per_second=limits.reply_bytes_per_second,
        reply_grace_seconds=limits.reply_grace_seconds,
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        trusted_proxies=settings.trusted_proxies,
    )
