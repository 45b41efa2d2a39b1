"""The service port: a second server in the same loop, reached by neighbours and probes only."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from darkroom.platform.settings import HTTPSettings
from darkroom.platform.telemetry.logs import get_logger

# Probes and key fetches take milliseconds; what is longer is not worth waiting for.
_DRAIN_SECONDS: Final = 2

log = get_logger()


class _Beside(uvicorn.Server):
    """A server that leaves signals to the process's main one, and tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # A port that is taken ends the process here.
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def open_service_port(app: ASGIApp, http: HTTPSettings) -> AsyncIterator[int]:
    """Serve an app beside the public one, from here on until the block ends; yields the port."""
    server = _Beside(
        uvicorn.Config(
            app,
            host=http.host,
            port=http.port,
            http="httptools",
            # The app's life is the public server's to begin and end.
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(), name="service-port")
    await server.listens.wait()
    port: int = server.servers[0].sockets[0].getsockname()[1]
    log.info("service_port_opened", host=http.host, port=port)
    try:
        yield port
    finally:
        server.should_exit = True
        await serving
