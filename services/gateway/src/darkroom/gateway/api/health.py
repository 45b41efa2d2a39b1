"""`/health`: whether uploads can be accepted, and which part is away if not."""

import asyncio
import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import aiohttp

from darkroom.gateway.api.replies import Reply
from darkroom.gateway.domain.routes import Owner
from darkroom.gateway.operations.upstream import Upstream
from darkroom.gateway.wiring import Resources
from darkroom.platform.messaging.jetstream import JetStream

# Everybody may ask, as often as they like; the services are asked once a second.
FRESH_SECONDS: Final = 1.0
# A service that takes longer to say that it is ready is not.
_PROBE_SECONDS: Final = 2.5
_NEEDED: Final = (Owner.AUTH, Owner.UPLOAD, Owner.CATALOG)


class PlatformHealth:
    """Ask the services whether they are ready, one question at a time for all who ask us."""

    def __init__(self, resources: Resources) -> None:
        self._upstreams: Mapping[Owner, Upstream] = resources.upstreams
        self._bus: JetStream = resources.bus
        self._lock = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._components: dict[str, str] = {}

    async def reply(self) -> Reply:
        """Answer 200 while an upload would be accepted, else 503.

        The broker is named and does not count: without it uploads are kept, and processed later.
        """
        components = await self._ask()
        can_upload = all(components[name] == "ok" for name in _NEEDED)
        is_whole = all(state == "ok" for state in components.values())
        body = {"status": "ok" if is_whole else "degraded", "components": components}
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if not can_upload:
            headers.append((b"retry-after", b"2"))
        status = HTTPStatus.OK if can_upload else HTTPStatus.SERVICE_UNAVAILABLE
        return Reply(status, headers, json.dumps(body).encode())

    async def _ask(self) -> Mapping[str, str]:
        async with self._lock:
            if time.monotonic() - self._asked_at >= FRESH_SECONDS:
                states = await asyncio.gather(*(_state(self._upstreams[name]) for name in _NEEDED))
                self._components = dict(zip(_NEEDED, states, strict=True))
                self._asked_at = time.monotonic()
            return {**self._components, "broker": "down" if self._bus.is_away else "ok"}


async def _state(upstream: Upstream) -> str:
    timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
    try:
        async with upstream.session.get(
            upstream.url("/-/ready", b""), timeout=timeout, allow_redirects=False
        ) as answer:
            return "ok" if answer.status == HTTPStatus.OK else "down"
    except (aiohttp.ClientError, TimeoutError):
        return "down"
