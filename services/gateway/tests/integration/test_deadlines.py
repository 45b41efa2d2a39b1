import asyncio
import json
import time
from typing import Any

import pytest

from darkroom.gateway.settings import LimitSettings

MEDIA = "/storage/uploads/img_1.jpg"
HOST = b"Host: a\r\n"
GET = f"GET {MEDIA} HTTP/1.1\r\n".encode() + HOST
POST = f"POST {MEDIA} HTTP/1.1\r\n".encode() + HOST


async def test_gw_06_trickled_headers_end_in_408(
    start_gateway: Any, connect: Any, neighbour: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(head_seconds=0.5))
    raw = await connect(gateway)
    started = time.monotonic()

    async def trickle() -> None:
        for byte in GET:
            await raw.send(bytes([byte]))
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    status, headers, _ = await raw.reply()
    trickling.cancel()
    assert (status, headers["connection"]) == (408, "close")
    assert time.monotonic() - started < 1.0
    assert neighbour.seen == []


async def test_gw_06_a_connection_that_says_nothing_is_closed(
    start_gateway: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(head_seconds=0.2))
    raw = await connect(gateway)
    assert await raw.is_closed(within=1.0)


async def test_gw_07_a_trickled_body_ends_in_408_and_the_upload_behind_is_cut(
    start_gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(body_grace_seconds=2))
    raw = await connect(gateway)
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 100000\r\n\r\n".encode())

    async def trickle() -> None:
        while True:
            await raw.send(b"x" * 400)
            await asyncio.sleep(0.1)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(4):
        status, _, body = await raw.reply()
        await neighbour.abandoned.wait()
    trickling.cancel()
    assert (status, json.loads(body)["code"]) == (408, "request_timeout")


async def test_a_body_that_never_ends_is_408_however_steady_it_comes(
    start_gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(body_seconds=1))
    raw = await connect(gateway)
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 100000000\r\n\r\n".encode())

    async def send_steadily() -> None:
        while True:
            await raw.send(b"x" * 20_000)
            await asyncio.sleep(0.1)

    sending = asyncio.create_task(send_steadily())
    async with asyncio.timeout(4):
        status, _, body = await raw.reply()
        await neighbour.abandoned.wait()
    sending.cancel()
    assert (status, json.loads(body)["code"]) == (408, "request_timeout")


async def test_a_slow_service_is_not_the_clients_fault(
    start_gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(body_grace_seconds=1))
    neighbour.hangs = True
    raw = await connect(gateway)
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 3\r\n\r\nabc".encode())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await raw.head()


async def test_c_01_a_reader_that_stands_still_is_cut(
    start_gateway: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(reply_grace_seconds=1))
    neighbour.body = b"x" * 30_000_000
    raw = await connect(gateway)
    raw.reader._transport.pause_reading()
    await raw.send(GET + b"\r\n")
    await asyncio.sleep(2.5)
    raw.reader._transport.resume_reading()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await raw.reply()


async def test_c_01_a_reader_that_trickles_is_cut_and_its_connection_serves_others(
    start_gateway: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(
        limits=LimitSettings(reply_grace_seconds=2),
        upstreams={"media_connections": 1, "connection_wait_seconds": 10},
    )
    neighbour.body = b"x" * 30_000_000
    slow, waiting = await connect(gateway), await connect(gateway)
    await slow.send(GET + b"\r\n")
    await slow.head()

    async def trickle() -> None:
        while True:
            await slow.reader.readexactly(200)
            await asyncio.sleep(0.1)

    trickling = asyncio.create_task(trickle())
    await waiting.send(GET + b"\r\n")
    async with asyncio.timeout(6):
        assert (await waiting.head())[0] == 200
    trickling.cancel()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await slow.reader.readexactly(30_000_000)


async def test_a_reader_that_is_fast_enough_is_served_to_the_end(
    start_gateway: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(reply_grace_seconds=1))
    neighbour.body = b"x" * 8_000_000
    raw = await connect(gateway)
    await raw.send(GET + b"\r\n")
    status, headers = await raw.head()
    assert (status, headers["content-length"]) == (200, "8000000")
    for _ in range(40):
        assert await raw.reader.readexactly(200_000) == b"x" * 200_000
        await asyncio.sleep(0.1)
