import asyncio
import json
import signal
import subprocess
import sys
import time
from typing import Any

import aiohttp
import pytest

from darkroom.gateway.settings import LimitSettings

MEDIA = "/storage/uploads/img_1.jpg"
HOST = b"Host: a\r\n"
GET = f"GET {MEDIA} HTTP/1.1\r\n".encode() + HOST
POST = f"POST {MEDIA} HTTP/1.1\r\n".encode() + HOST


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="gw_01"
        ),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", id="gw_01b"
        ),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", id="gw_02"),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", id="gw_02_same"),
        pytest.param(POST + b"Content-Length: +5\r\n\r\nabcde", id="gw_02_plus"),
        pytest.param(POST + b"Content-Length: 5, 5\r\n\r\nabcde", id="gw_02_list"),
        pytest.param(POST + b"Content-Length: 0x5\r\n\r\nabcde", id="gw_02_hex"),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="gw_03"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="gw_03_list"
        ),
        pytest.param(
            POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", id="gw_03_order"
        ),
        pytest.param(POST + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", id="gw_03_tab"),
        pytest.param(GET + b"X-A: b\r\n c\r\n\r\n", id="gw_03_fold"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", id="gw_03_chunk"),
        pytest.param(f"GET {MEDIA} HTTP/1.1\r\n\r\n".encode(), id="gw_04_none"),
        pytest.param(GET + HOST + b"\r\n", id="gw_04_two"),
        pytest.param(f"GET {MEDIA} HTTP/1.1\r\nHost: a/b@c\r\n\r\n".encode(), id="gw_04_path"),
        pytest.param(f"GET {MEDIA} HTTP/2.0\r\n".encode() + HOST + b"\r\n", id="version"),
        pytest.param(GET + b"X(a: b\r\n\r\n", id="name"),
        pytest.param(GET + b"Xa: b\x00c\r\n\r\n", id="nul"),
        pytest.param(GET + b"Expect: the-worst\r\n\r\n", id="expect"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="tls"),
    ],
)
async def test_bad_framing_is_400_and_the_connection_ends(
    gateway: Any, neighbour: Any, connect: Any, request_bytes: bytes
) -> None:
    raw = await connect(gateway)
    await raw.send(request_bytes + b"GET /storage/uploads/smuggled.jpg HTTP/1.1\r\n\r\n")
    status, headers, body = await raw.reply()
    assert (status, headers["connection"]) == (400, "close")
    assert json.loads(body)["code"] == "bad_request"
    assert headers["x-request-id"]
    raw.writer.write_eof()
    assert await raw.is_closed()
    assert neighbour.seen == []


async def test_gw_04_an_absolute_target_is_decided_by_its_path(
    gateway: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    await raw.send(b"GET http://other.example/-/ready HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (await raw.reply())[0] == 404
    await raw.send(f"GET http://other.example{MEDIA} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    assert (await raw.reply())[0] == 200
    assert [seen.path for seen in neighbour.seen] == [MEDIA]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /v1/" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /v1/" + b"a" * 9_000, 414),
        (GET + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (GET + b"X-A: " + b"a" * 60_000, 431),
        (GET + b"".join(b"X-%d: a\r\n" % n for n in range(1_000)) + b"\r\n", 431),
    ],
)
async def test_gw_05_a_head_over_its_limits_is_431_or_414(
    gateway: Any, neighbour: Any, connect: Any, request_bytes: bytes, status: int
) -> None:
    raw = await connect(gateway)
    await raw.send(request_bytes)
    found, _, body = await raw.reply()
    assert found == status
    if status == 414:
        # The path begins with /v1, so the refusal has img's shape.
        assert json.loads(body).keys() == {"type", "error", "status", "message", "errors"}
    raw.writer.write_eof()
    assert await raw.is_closed()
    assert neighbour.seen == []


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


async def test_pipelined_requests_are_answered_in_order(
    gateway: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    await raw.send(
        b"".join(b"GET /storage/uploads/a%d.jpg HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(5))
    )
    for _ in range(5):
        assert (await raw.reply())[0] == 200
    assert [seen.path[-6:] for seen in neighbour.seen] == [f"/a{n}.jpg"[-6:] for n in range(5)]


async def test_an_upgrade_is_ignored(gateway: Any, connect: Any) -> None:
    raw = await connect(gateway)
    await raw.send(GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")
    status, headers, _ = await raw.reply()
    assert (status, headers["connection"]) == (200, "close")


async def test_c_01_a_reader_that_stands_still_is_cut(
    start_gateway: Any, neighbour: Any, connect: Any
) -> None:
    gateway = await start_gateway(limits=LimitSettings(stalled_reader_seconds=0.5))
    neighbour.body = b"x" * 30_000_000
    raw = await connect(gateway)
    raw.reader._transport.pause_reading()
    await raw.send(GET + b"\r\n")
    await asyncio.sleep(2)
    raw.reader._transport.resume_reading()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await raw.reply()


async def test_h_07_a_restart_under_load_fails_no_request(
    serve_app: Any,
    auth: Any,
    neighbour: Any,
    nats_settings: Any,
    tmp_path: Any,
    unused_tcp_port: int,
) -> None:
    service = await serve_app(neighbour, lifespan="off")
    environment = {
        "GATEWAY_HTTP__PORT": str(unused_tcp_port),
        "GATEWAY_ADMIN__PORT": "0",
        "GATEWAY_NATS__SERVERS": nats_settings.servers,
        "GATEWAY_PASSPORT_KEY_FILE": str(tmp_path / "passport.pem"),
        "GATEWAY_UPSTREAMS__AUTH": service,
        "GATEWAY_UPSTREAMS__UPLOAD": service,
        "GATEWAY_UPSTREAMS__CATALOG": service,
    }
    command = [sys.executable, "-m", "darkroom.gateway", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - returns at once
    answers: list[int] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        while True:
            writer.write(GET + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            answers.append(int(head.split()[1]))
            if b"connection: close" in head:
                writer.close()
                return

    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
                    writer.close()
                    break
                except ConnectionError:
                    await asyncio.sleep(0.05)
            clients = asyncio.gather(*(client() for _ in range(16)))
            await asyncio.sleep(1)
            process.send_signal(signal.SIGTERM)
            await clients
            while process.poll() is None:
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert len(answers) > 100
    assert set(answers) == {200}
    assert process.returncode in {0, -signal.SIGTERM}
