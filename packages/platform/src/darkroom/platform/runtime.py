"""How a process runs: one uvicorn server with a graceful end, and background roles beside it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn

from darkroom.platform.settings import HTTPSettings
from darkroom.platform.telemetry.logs import get_logger

# Orchestrators kill 30 s after they asked, `darkroom up` after 22 s. Requests are waited for first,
# and background roles only then: both take at most 18 s, and the rest is for closing connections.
REQUEST_DRAIN_SECONDS: Final = 10
ROLE_DRAIN_SECONDS: Final = 8
# Longer than any client of ours keeps an idle connection, so that the client closes first.
IDLE_CONNECTION_SECONDS: Final = 75
# sysexits.h: an internal software error; a supervisor restarts the process.
EXIT_SOFTWARE: Final = 70

Role = Callable[[asyncio.Event], Awaitable[None]]
log = get_logger()


def serve(
    create_app: Callable[[], Any],
    http: HTTPSettings,
    *,
    protocol: type[asyncio.Protocol] | str = "httptools",
) -> None:
    """Run an app until SIGTERM or SIGINT, then let what is under way finish. Blocks."""
    config = uvicorn.Config(
        create_app,
        factory=True,
        host=http.host,
        port=http.port,
        loop="uvloop",
        http=protocol,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_CONNECTION_SECONDS,
        timeout_graceful_shutdown=REQUEST_DRAIN_SECONDS,
    )
    uvicorn.Server(config).run()


@asynccontextmanager
async def background(
    roles: Mapping[str, Role], *, drain_seconds: float = ROLE_DRAIN_SECONDS
) -> AsyncIterator[None]:
    """Run roles beside the app; on leaving, ask them to stop and wait, then cancel.

    A role that ends by an error ends the process: half a process that looks healthy is worse
    than one that is restarted.
    """
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_watch(name, role, stop), name=name) for name, role in roles.items()
    ]
    try:
        yield
    finally:
        stop.set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=drain_seconds)
            for task in late:
                log.warning("role_cancelled", role=task.get_name())
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _watch(name: str, role: Role, stop: asyncio.Event) -> None:
    log.info("role_started", role=name)
    try:
        await role(stop)
    except Exception as error:  # the edge of the process: it must end loudly
        log.exception("role_broke", role=name, error=repr(error))
        os._exit(EXIT_SOFTWARE)
    log.info("role_stopped", role=name)
