import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

MEDIA = "/storage/uploads/img_1.jpg"


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


async def test_a_body_where_none_is_expected_is_ignored(
    gateway: Any, neighbour: Any, connect: Any
) -> None:
    raw = await connect(gateway)
    for _ in range(2):
        await raw.send(
            f"GET {MEDIA} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".encode()
        )
        assert (await raw.reply())[0] == 200
    assert [seen.body for seen in neighbour.seen] == [b"", b""]
    assert "content-length" not in neighbour.seen[0].headers


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
