import asyncio

import pytest
from aiohttp import ClientSession
from fastapi import FastAPI

from darkroom.platform.errors import Unavailable
from darkroom.platform.http import health
from darkroom.platform.http.health import Readiness
from darkroom.testing.fixtures.web import AppServer


async def test_readiness_names_the_dependency_that_is_down(
    app: FastAPI, readiness: Readiness, serve_app: AppServer, http: ClientSession
) -> None:
    async def fine() -> None:
        return

    async def down() -> None:
        raise Unavailable

    readiness.add("database", fine)
    readiness.add("broker", down)
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/-/ready") as reply:
        body = await reply.json()
    assert reply.status == 503
    assert body == {"status": "degraded", "components": {"database": "ok", "broker": "down"}}


async def test_liveness_asks_no_dependency(
    app: FastAPI, readiness: Readiness, serve_app: AppServer, http: ClientSession
) -> None:
    async def down() -> None:
        raise Unavailable

    readiness.add("broker", down)
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/-/live") as reply:
        assert reply.status == 200


async def test_a_check_that_hangs_counts_as_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(health, "CHECK_TIMEOUT_SECONDS", 0.05)
    readiness = Readiness()
    readiness.add("store", hang)
    assert await readiness.report() == {"store": "down"}


async def test_metrics_count_requests_by_route(
    app: FastAPI, serve_app: AppServer, http: ClientSession
) -> None:
    base_url = await serve_app(app)
    async with http.get(f"{base_url}/numbers/7"):
        pass
    async with http.get(f"{base_url}/-/metrics") as reply:
        text = await reply.text()
    line = 'darkroom_http_requests_total{method="GET",route="/numbers/{number}",status="200"}'
    assert line in text
