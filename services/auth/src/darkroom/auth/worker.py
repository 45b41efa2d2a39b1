"""What auth does beside answering: relay its outbox, write when keys were last used."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from darkroom.auth.settings import AuthSettings
from darkroom.auth.wiring import Resources
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.jetstream import open_jetstream
from darkroom.platform.messaging.outbox import Relay
from darkroom.platform.runtime import Role
from darkroom.platform.settings import NatsSettings
from darkroom.platform.telemetry.logs import get_logger

# One small transaction a second for all keys in use; people look at minutes.
_WRITE_EVERY_SECONDS: Final = 1.0

log = get_logger()


def background_roles(
    roles: Collection[str], settings: AuthSettings, resources: Resources
) -> Mapping[str, Role]:
    running: dict[str, Role] = {}
    if "serve" in roles:
        running["last_used"] = partial(_write_last_used, resources)
    if "relay" in roles:
        running["relay"] = partial(_relay, settings.nats, resources)
    return running


async def _relay(nats: NatsSettings, resources: Resources, stop: asyncio.Event) -> None:
    async with open_jetstream(nats, name="auth") as bus:
        await Relay(resources.engine, bus).run(stop)


async def _write_last_used(resources: Resources, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            async with asyncio.timeout(_WRITE_EVERY_SECONDS):
                await stop.wait()
        except TimeoutError:
            pass
        try:
            await resources.last_used.write(resources.sessions, now=datetime.now(UTC))
        except Unavailable as error:
            log.warning("last_used_waiting", **error.context)
