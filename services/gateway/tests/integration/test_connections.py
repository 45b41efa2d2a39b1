import asyncio
from typing import Any

import aiohttp
import pytest

from darkroom.gateway.settings import LimitSettings

MEDIA = "/storage/uploads/img_1.jpg"
HOST = b"Host: a\r\n"
GET = f"GET {MEDIA} HTTP/1.1\r\n".encode() + HOST
POST = f"POST {MEDIA} HTTP/1.1\r\n".encode() + HOST


async def test_gw_08_connections_over_the_cap_of_one_address_are_closed(
    start_gateway: Any, connect: Any, http: aiohttp.ClientSession
) -> None:
    gateway = await start_gateway(limits=LimitSettings(connections_per_address=3))
    held = [await connect(gateway) for _ in range(3)]
    await asyncio.sleep(0.05)
    excess = await connect(gateway)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await excess.head()
    await held[0].send(GET + b"\r\n")
    assert (await held[0].reply())[0] == 200
    held[1].writer.close()
    await asyncio.sleep(0.05)
    async with http.get(gateway.url + MEDIA) as reply:
        assert reply.status == 200


async def test_c_02_a_full_process_closes_its_oldest_idle_connection(
    start_gateway: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(connections=3))
    held = [await connect(gateway) for _ in range(3)]
    await asyncio.sleep(0.05)
    another = await connect(gateway)
    await another.send(GET + b"\r\n")
    assert (await another.reply())[0] == 200
    assert await held[0].is_closed()
    await held[2].send(GET + b"\r\n")
    assert (await held[2].reply())[0] == 200


async def test_gw_15_expect_with_too_long_a_body_is_413_before_it_is_sent(
    gateway: Any, auth: Any, connect: Any, neighbour: Any
) -> None:
    key, _ = auth.add_key()
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nExpect: 100-continue\r\n"
    raw = await connect(gateway)
    await raw.send(f"{head}Content-Length: 600000000\r\n\r\n".encode())
    status, headers = await raw.head()
    assert (status, headers["connection"]) == (413, "close")
    raw = await connect(gateway)
    await raw.send(f"{head}Content-Length: 5\r\n\r\n".encode())
    assert await raw.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await raw.send(b"hello")
    assert (await raw.reply())[0] == 200
    assert neighbour.seen[0].body == b"hello"
    assert "expect" not in neighbour.seen[0].headers


async def test_expect_from_a_stranger_is_401_without_asking_for_the_body(
    gateway: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    head = b"POST /v1/upload HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    await raw.send(head + b"Content-Length: 5\r\n\r\n")
    assert (await raw.head())[0] == 401
