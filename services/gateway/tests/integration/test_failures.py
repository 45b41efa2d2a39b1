import asyncio
import time
from typing import Any

import aiohttp
import pytest

MEDIA = "/storage/uploads/img_1.jpg"


async def test_an_early_reply_is_relayed_while_the_body_is_still_coming(
    gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    neighbour.answers_early, neighbour.status, neighbour.body = True, 413, b'{"early": true}'
    raw = await connect(gateway)
    head = f"POST /api/v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 5000000\r\n\r\n".encode() + b"x" * 100_000)
    async with asyncio.timeout(2):
        status, headers, body = await raw.reply()
    assert (status, body, headers["connection"]) == (413, b'{"early": true}', "close")
    await raw.send(b"x" * 100_000)
    raw.writer.write_eof()
    assert await raw.is_closed()


async def test_gw_18_a_client_that_gives_up_ends_the_work_behind(
    gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    neighbour.hangs = True
    raw = await connect(gateway)
    await raw.send(f"GET {MEDIA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    while not neighbour.seen:
        await asyncio.sleep(0.01)
    raw.writer.close()
    assert await asyncio.wait_for(neighbour.abandoned.wait(), timeout=2)


async def test_gw_18_a_client_that_leaves_in_mid_body_ends_the_upload_behind(
    gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
    while not neighbour.received_bytes:
        await asyncio.sleep(0.01)
    raw.writer.close()
    assert await asyncio.wait_for(neighbour.abandoned.wait(), timeout=2)


async def test_gw_17_a_service_that_is_away_is_503_at_once(
    start_gateway: Any, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    gateway = await start_gateway(upstreams={"catalog": f"http://127.0.0.1:{unused_tcp_port}"})
    for _ in range(5):
        started = time.perf_counter()
        async with http.get(gateway.url + MEDIA) as reply:
            assert (reply.status, reply.headers["Retry-After"]) == (503, "2")
            assert (await reply.json())["code"] == "unavailable"
        assert time.perf_counter() - started < 0.1
    async with http.get(f"{gateway.url}/health") as reply:
        assert reply.status == 503
        assert (await reply.json())["components"]["catalog"] == "down"


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (b"HTTP/9 nonsense\r\n\r\n", 502, "bad_reply"),
        (b"", 503, "unavailable"),
        (None, 504, "deadline_exceeded"),
    ],
)
async def test_a_service_that_misbehaves_is_502_503_or_504(
    start_gateway: Any,
    http: aiohttp.ClientSession,
    answer: bytes | None,
    status: int,
    code: str,
) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(misbehave, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        gateway = await start_gateway(
            upstreams={"catalog": f"http://127.0.0.1:{port}", "reply_seconds": 0.3}
        )
        async with http.get(gateway.url + MEDIA) as reply:
            assert reply.status == status
            assert (await reply.json())["code"] == code


async def test_health_is_ok_while_uploads_can_be_accepted(
    gateway: Any, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{gateway.url}/health", headers={"X-API-Key": "ignored"}) as reply:
        body = await reply.json()
        assert reply.status == 200
    assert body["components"].keys() == {"auth", "upload", "catalog", "broker"}


async def test_the_service_port_answers_probes_and_the_public_port_does_not(
    gateway: Any, http: aiohttp.ClientSession
) -> None:
    for path in ("/-/live", "/-/ready", "/-/metrics"):
        async with http.get(gateway.admin_url + path) as reply:
            assert reply.status == 200
        async with http.get(gateway.url + path) as reply:
            assert reply.status == 404
