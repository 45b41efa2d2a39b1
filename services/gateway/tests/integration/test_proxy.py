import asyncio
import io
import json
import time
from typing import Any

import aiohttp
import pytest
from yarl import URL

from darkroom.contracts.claims import PASSPORT_HEADER
from darkroom.platform.auth.keys import open_remote_key_set
from darkroom.platform.auth.passport import PassportVerifier

MEDIA = "/storage/uploads/img_1.jpg"


async def test_a_request_reaches_its_owner_with_a_passport_and_without_the_credential(
    gateway: Any, auth: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    key, principal = auth.add_key()
    url = f"{gateway.url}/v1/albums/alb_1/images/?page=2&limit=5"
    async with http.get(url, headers={"X-API-Key": key}) as reply:
        assert reply.status == 200
        assert len(reply.headers.getall("X-Request-Id")) == 1
    seen = neighbour.seen[0]
    assert (seen.path, seen.query) == ("/api/v1/albums/alb_1/images", "page=2&limit=5")
    assert not {"x-api-key", "authorization"} & seen.headers.keys()
    async with open_remote_key_set(f"{gateway.admin_url}/-/passport-keys") as keys:
        passport = await PassportVerifier(keys).verify(seen.headers[PASSPORT_HEADER])
    assert passport.principal == principal
    assert passport.surface == "partr"
    assert len(passport.client) == 32


async def test_gw_09_claims_about_identity_and_address_are_stripped(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    claims = {
        "X-User-Id": "1",
        "X_User_Id": "1",
        "X-Internal-Auth": "yes",
        "X-Forwarded-For": "127.0.0.1",
        "X-Darkroom-Passport": "forged",
        "X-HTTP-Method-Override": "DELETE",
        "Forwarded": "for=127.0.0.1",
        "Connection": "keep-alive, X-Private",
        "X-Private": "hop",
        "apikey": "anon",
    }
    async with http.get(gateway.url + MEDIA, headers=claims | {"X-Kept": "yes"}) as reply:
        assert reply.status == 200
    headers = neighbour.seen[0].headers
    assert headers["x-kept"] == "yes"
    assert headers[PASSPORT_HEADER] != "forged"
    assert not {name.lower() for name in claims} & (
        headers.keys() - {PASSPORT_HEADER, "connection"}
    )


async def test_a_body_streams_both_ways_unchanged(
    gateway: Any, auth: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    neighbour.body = bytes(range(256)) * 8_000
    neighbour.headers = [(b"content-encoding", b"gzip"), (b"etag", b'"a"'), (b"server", b"x")]
    key, _ = auth.add_key()
    sent = b"0123456789" * 300_000
    reply = await http.post(
        f"{gateway.url}/v1/upload",
        data=io.BytesIO(sent),
        headers={"Authorization": f"Bearer {key}"},
        auto_decompress=False,
    )
    assert await reply.read() == neighbour.body
    assert (reply.headers["ETag"], reply.headers["Content-Encoding"]) == ('"a"', "gzip")
    assert "Server" not in reply.headers
    assert len(reply.headers.getall("Date")) == 1
    assert neighbour.seen[0].body == sent
    assert neighbour.seen[0].headers["content-length"] == str(len(sent))


async def test_head_keeps_the_length_and_sends_no_body(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    neighbour.body = b"x" * 1234
    async with http.head(gateway.url + MEDIA) as reply:
        assert (reply.status, reply.headers["Content-Length"]) == (200, "1234")
        assert await reply.read() == b""
    async with http.get(gateway.url + MEDIA) as reply:
        assert len(await reply.read()) == 1234


@pytest.mark.parametrize("status", [204, 304])
async def test_replies_without_a_body_keep_the_connection_usable(
    gateway: Any, neighbour: Any, connect: Any, status: int
) -> None:
    neighbour.status, neighbour.body = status, b""
    raw = await connect(gateway)
    for _ in range(2):
        await raw.send(f"GET {MEDIA} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert (await raw.head())[0] == status


async def test_a_request_id_is_taken_when_safe_and_made_when_not(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    async with http.get(gateway.url + MEDIA, headers={"X-Request-Id": "abc-1"}) as reply:
        assert reply.headers["X-Request-Id"] == "abc-1"
    async with http.get(gateway.url + MEDIA, headers={"X-Request-Id": "a b" * 60}) as reply:
        assert reply.headers["X-Request-Id"] != "a b" * 60
    ids = [seen.headers["x-request-id"] for seen in neighbour.seen]
    assert ids[0] == "abc-1"
    assert len(ids[1]) == 36


async def test_the_callers_trace_context_goes_on(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with http.get(gateway.url + MEDIA, headers={"traceparent": trace}):
        assert neighbour.seen[0].headers["traceparent"] == trace


async def test_preflight_is_answered_before_route_and_credential(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    for path in ("/api/v1/upload", "/nowhere"):
        async with http.options(
            gateway.url + path, headers={"Origin": "https://a.example"}
        ) as reply:
            assert reply.status == 204
            assert reply.headers.getall("Access-Control-Allow-Origin") == ["*"]
            allowed = reply.headers["Access-Control-Allow-Headers"].lower()
            for name in ("x-api-key", "authorization", "content-type", "x-album-password"):
                assert name in allowed
            assert "Content-Length" not in reply.headers
    assert neighbour.seen == []


async def test_every_reply_lets_any_page_read_it(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    neighbour.headers = [(b"access-control-allow-origin", b"https://other.example")]
    for path in (MEDIA, "/nowhere", "/api/v1/images/img_1"):
        async with http.get(gateway.url + path) as reply:
            assert reply.headers.getall("Access-Control-Allow-Origin") == ["*"]
            assert "ETag" in reply.headers["Access-Control-Expose-Headers"]
            assert "X-Request-Id" in reply.headers


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/api/v1/nothing", {"error", "message", "details", "code", "request_id"}),
        ("/v1/nothing", {"type", "error", "status", "message", "errors"}),
        ("/api/images/7/", {"detail"}),
        ("/nothing", {"error", "message", "details", "code", "request_id"}),
    ],
)
async def test_an_unknown_path_is_404_in_its_surfaces_shape_without_asking_for_a_credential(
    gateway: Any, http: aiohttp.ClientSession, path: str, keys: set[str]
) -> None:
    async with http.get(gateway.url + path) as reply:
        assert reply.status == 404
        assert (await reply.json()).keys() == keys
    async with http.get(
        gateway.url + path, headers={"Accept": "application/problem+json"}
    ) as reply:
        assert reply.content_type == "application/problem+json"
        assert json.loads(await reply.read())["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/-/ready",
        "/-/passport-keys",
        "/v1//images/img_1",
        "/v1/%2e%2e/-/ready",
        "/v1/images%2f..%2f-/ready",
        "/storage/../-/ready",
        "/%2d/ready",
        "/api/v1/upload;x=y",
        "/storage/uploads/img_1.jpg%00",
        "//-/ready",
    ],
)
async def test_gw_11_odd_paths_never_reach_a_service(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(URL(gateway.url + path, encoded=True)) as reply:
        assert reply.status == 404
    assert neighbour.seen == []


async def test_gw_10_a_wrong_method_is_405_with_allow(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession, connect: Any
) -> None:
    for method in ("TRACE", "PUT", "FOO", "BREW"):
        raw = await connect(gateway)
        await raw.send(f"{method} /api/v1/keys HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        status, headers, body = await raw.reply()
        assert (status, headers["allow"]) == (405, "GET, HEAD, POST, OPTIONS")
        assert json.loads(body)["code"] == "method_not_allowed"
    raw = await connect(gateway)
    await raw.send(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await raw.head())[0] == 405
    assert neighbour.seen == []


async def test_gw_12_an_encoded_request_body_is_415(
    gateway: Any, auth: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    headers = {"X-API-Key": auth.add_key()[0], "Content-Encoding": "gzip"}
    async with http.post(f"{gateway.url}/api/v1/upload", data=b"x", headers=headers) as reply:
        assert reply.status == 415
    assert neighbour.seen == []


async def test_c_03_a_body_over_the_limit_is_413_announced_or_not(
    start_gateway: Any, auth: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    gateway = await start_gateway()
    headers = {"X-API-Key": auth.add_key()[0]}
    url = f"{gateway.url}/api/v1/albums"

    async def endless() -> Any:
        while True:
            yield b"x" * 50_000

    async with http.post(url, data=io.BytesIO(b"x" * 1_000_001), headers=headers) as reply:
        assert reply.status == 413
    assert neighbour.seen == []
    async with http.post(url, data=endless(), headers=headers) as reply:
        assert reply.status == 413
        assert (await reply.json())["code"] == "body_too_large"
        assert reply.headers["Connection"] == "close"
    async with asyncio.timeout(2):
        await neighbour.abandoned.wait()
    assert neighbour.received_bytes <= 1_000_000


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
    async with asyncio.timeout(2):
        await neighbour.abandoned.wait()


async def test_gw_18_a_client_that_leaves_in_mid_body_ends_the_upload_behind(
    gateway: Any, auth: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    head = f"POST /v1/upload HTTP/1.1\r\nHost: a\r\nX-API-Key: {auth.add_key()[0]}\r\n"
    await raw.send(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
    while not neighbour.received_bytes:
        await asyncio.sleep(0.01)
    raw.writer.close()
    async with asyncio.timeout(2):
        await neighbour.abandoned.wait()


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
