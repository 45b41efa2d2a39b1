import asyncio
import time

import pytest
from yarl import URL

from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.testing import pictures
from darkroom.testing.stack import Partr, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

# Revocation travels as an event; the contract says one second.
REVOCATION_SECONDS = 1.0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "pk_your_api_token_here"},
        {"X-API-Key": "pk_" + "1" * 32},
        {"Authorization": "Bearer pk_" + "2" * 32},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Basic cGs6cGs="},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/upload"),
        ("GET", "/api/v1/images/img_000000000000000000000000"),
        ("GET", "/api/v1/albums/alb_000000000000000000000000/images"),
    ],
)
async def test_without_a_valid_key_every_call_is_a_401(
    nobody: Partr, headers: dict[str, str], method: str, path: str
) -> None:
    reply = await nobody.call(method, path, headers=headers)
    assert reply.status == 401
    assert set(reply.json()) == {"error", "message", "details", "code", "request_id"}


async def test_key_04_a_key_in_the_query_string_opens_nothing(nobody: Partr, stack: Stack) -> None:
    query = {"api_key": stack.key, "X-API-Key": stack.key, "key": stack.key}
    path = f"/api/v1/albums/{stack.album_id}/images"
    assert (await nobody.call("GET", path, params=query)).status == 401


async def test_a_key_works_in_any_header_case_and_as_bearer(nobody: Partr, stack: Stack) -> None:
    path = f"/api/v1/albums/{stack.album_id}/images"
    for headers in (
        {"x-api-key": stack.key},
        {"X-API-KEY": stack.key},
        {"Authorization": f"Bearer {stack.key}"},
    ):
        assert (await nobody.call("GET", path, headers=headers)).status == 200


async def test_az_01_a_foreign_image_an_unknown_one_and_nonsense_get_the_same_404(
    partr: Partr, stranger: Partr
) -> None:
    image = await partr.develop(pictures.jpeg(32, 32))
    unknown = encode_id(Prefix.IMAGE_PARTR, new_id())
    headers = {"X-Request-Id": "same"}
    replies = [
        await stranger.call("GET", f"/api/v1/images/{image_id}", headers=headers)
        for image_id in (image["id"], unknown, "img_nonsense", "img_" + "z" * 24)
    ]
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1


async def test_az_01_a_foreign_album_can_be_neither_read_nor_filled(
    stranger: Partr, partr: Partr, stack: Stack
) -> None:
    before = (await partr.images(stack.album_id))["meta"]["total"]
    listing = await stranger.call("GET", f"/api/v1/albums/{stack.album_id}/images")
    upload = await stranger.upload(pictures.jpeg(32, 32), album_id=stack.album_id)
    assert (listing.status, upload.status) == (404, 404)
    assert (await partr.images(stack.album_id))["meta"]["total"] == before


async def test_key_05_a_revoked_key_is_refused_within_a_second(nobody: Partr, stack: Stack) -> None:
    demo = stack.facts["demo"]
    login = await nobody.call("POST", "/api/v1/auth/login", json=demo)
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    made = (
        await nobody.call(
            "POST", "/api/v1/keys", json={"name": "short", "kind": "pk"}, headers=bearer
        )
    ).json()
    path = f"/api/v1/albums/{stack.album_id}/images"
    key = {"X-API-Key": made["key"]}
    assert (await nobody.call("GET", path, headers=key)).status == 200
    revoked = await nobody.call("DELETE", f"/api/v1/keys/{made['id']}", headers=bearer)
    assert revoked.status in {200, 204}
    started = time.monotonic()
    while (await nobody.call("GET", path, headers=key)).status != 401:
        assert time.monotonic() - started < REVOCATION_SECONDS
        await asyncio.sleep(0.01)


async def test_key_06_a_key_without_the_upload_scope_cannot_upload(
    nobody: Partr, stack: Stack
) -> None:
    login = await nobody.call("POST", "/api/v1/auth/login", json=stack.facts["demo"])
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    wanted = {"name": "reader", "kind": "pk", "scopes": ["read"]}
    made = (await nobody.call("POST", "/api/v1/keys", json=wanted, headers=bearer)).json()
    nobody.headers = {"X-API-Key": made["key"]}
    reply = await nobody.upload(pictures.jpeg(32, 32))
    assert reply.status == 403
    assert reply.json()["code"] == "scope_missing"


async def test_a_key_may_not_make_keys(partr: Partr) -> None:
    reply = await partr.call("POST", "/api/v1/keys", json={"name": "more", "kind": "pk"})
    assert reply.status == 403


async def test_a_private_image_opens_only_with_its_capability_or_its_owner(
    partr: Partr, nobody: Partr
) -> None:
    image = await partr.develop(pictures.jpeg(32, 32), visibility="private")
    url, _, capability = image["processed_url"].partition("?")
    assert capability.startswith("t=")
    assert (await nobody.call("GET", image["processed_url"])).status == 200
    assert (await partr.call("GET", url)).status == 200
    assert (await nobody.call("GET", url)).status == 404
    assert (await nobody.call("GET", f"{url}?t=AAAA.BBBB")).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/-/metrics",
        "/-/ready",
        "/-/registrations/x",
        "/api/v1/../../-/live",
        "/api/v1/%2e%2e/-/live",
    ],
)
async def test_gw_11_internal_paths_have_no_way_in(nobody: Partr, path: str) -> None:
    reply = await nobody.call("GET", URL(nobody.base_url + path, encoded=True))
    assert reply.status == 404


async def test_gw_09_identity_headers_from_outside_are_not_believed(
    nobody: Partr, stack: Stack
) -> None:
    forged = {"X-Darkroom-Passport": "e30.e30.e30", "X-User-Id": "1", "X-Internal-Auth": "yes"}
    path = f"/api/v1/albums/{stack.album_id}/images"
    assert (await nobody.call("GET", path, headers=forged)).status == 401


async def test_a_browser_may_ask_from_anywhere(nobody: Partr) -> None:
    asks = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key,content-type",
    }
    preflight = await nobody.call("OPTIONS", "/api/v1/upload", headers=asks)
    assert preflight.status in {200, 204}
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()
    refused = await nobody.call("POST", "/api/v1/upload", headers={"Origin": "https://example.org"})
    assert refused.headers["access-control-allow-origin"] == "*"


async def test_health_says_whether_uploads_can_be_accepted(nobody: Partr) -> None:
    reply = await nobody.call("GET", "/health")
    assert reply.status == 200
    assert reply.json()["status"] == "ok"
