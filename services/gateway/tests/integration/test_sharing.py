import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from darkroom.gateway.settings import LimitSettings

MEDIA = "/storage/uploads/img_1.jpg"
IMAGE = "/api/v1/images/img_1"


@pytest_asyncio.fixture
async def hold_media(connect: Any, neighbour: Any) -> Callable[..., Awaitable[list[Any]]]:
    # Requests for a picture that stay unanswered until their clients leave.
    async def hold(gateway: Any, count: int) -> list[Any]:
        neighbour.hangs = True
        held = [await connect(gateway) for _ in range(count)]
        for raw in held:
            await raw.send(f"GET {MEDIA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        async with asyncio.timeout(2):
            while len(neighbour.seen) < count:
                await asyncio.sleep(0.01)
        neighbour.hangs = False
        return held

    return hold


async def test_whoever_holds_every_media_connection_leaves_the_calls_alone(
    start_gateway: Any, hold_media: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    gateway = await start_gateway(
        upstreams={"connections": 2, "media_connections": 2, "connection_wait_seconds": 0.1}
    )
    await hold_media(gateway, 2)
    headers = {"X-API-Key": auth.add_key()[0]}
    async with asyncio.timeout(1), http.get(gateway.url + IMAGE, headers=headers) as reply:
        assert reply.status == 200
    async with asyncio.timeout(1), http.get(gateway.url + MEDIA) as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (503, "2")


async def test_a_wait_for_a_connection_does_not_count_as_a_service_that_is_away(
    start_gateway: Any, hold_media: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    gateway = await start_gateway(
        upstreams={"connections": 1, "media_connections": 1, "connection_wait_seconds": 0.05}
        | {"connect_seconds": 0.05}
    )
    (held,) = await hold_media(gateway, 1)
    for _ in range(4):
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == 503
    held.writer.close()
    await asyncio.wait_for(neighbour.abandoned.wait(), timeout=2)
    async with http.get(gateway.url + MEDIA) as reply:
        assert reply.status == 200


async def test_one_address_holds_no_more_than_its_share_of_media_replies(
    start_gateway: Any, hold_media: Any, neighbour: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    gateway = await start_gateway(
        limits=LimitSettings(media_replies_per_address=2), trusted_proxies=("127.0.0.1",)
    )
    held = await hold_media(gateway, 2)
    started = time.perf_counter()
    async with http.get(gateway.url + MEDIA) as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (429, "5")
        assert (await reply.json())["code"] == "rate_limited"
    assert time.perf_counter() - started < 0.2
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": auth.add_key()[0]}) as reply:
        assert reply.status == 200
    async with http.get(gateway.url + MEDIA, headers={"X-Forwarded-For": "192.0.2.7"}) as reply:
        assert reply.status == 200
    held[0].writer.close()
    await asyncio.wait_for(neighbour.abandoned.wait(), timeout=2)
    async with http.get(gateway.url + MEDIA) as reply:
        assert reply.status == 200


@pytest.mark.parametrize("patience", [5.0, 0.1])
async def test_a_service_that_accepts_and_answers_late_is_not_taken_for_one_that_is_away(
    start_gateway: Any, http: aiohttp.ClientSession, unused_tcp_port: int, patience: float
) -> None:
    gateway = await start_gateway(
        upstreams={"catalog": f"http://127.0.0.1:{unused_tcp_port}", "reply_seconds": 0.3}
    )
    for _ in range(3):
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == 503
    await asyncio.sleep(0.6)

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(stay_silent, "127.0.0.1", unused_tcp_port):
        impatient = aiohttp.ClientTimeout(total=patience)
        try:
            async with http.get(gateway.url + MEDIA, timeout=impatient) as reply:
                assert reply.status == 504
        except TimeoutError:
            assert patience < 0.3
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == 504
