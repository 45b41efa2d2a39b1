import io
from typing import Any

import aiohttp
import pytest

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
