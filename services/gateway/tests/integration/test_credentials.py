import asyncio
import time
from typing import Any

import aiohttp
import pytest

from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.claims import DEFAULT_PLANS, CredentialKind, Principal
from darkroom.contracts.ids import new_id
from darkroom.platform.auth.apikeys import mint
from darkroom.platform.auth.keys import make_signing_key
from darkroom.platform.auth.sessions import SessionSigner
from darkroom.platform.messaging.jetstream import open_jetstream

IMAGE = "/api/v1/images/img_1"
MEDIA = "/storage/uploads/img_1.jpg"
KEYS = "/api/v1/keys"


@pytest.fixture
def session_for(auth: Any) -> Any:
    def sign(account_id: Any = None, *, age_seconds: int = 0, key: Any = None) -> str:
        account_id = account_id or new_id()
        principal = Principal(
            credential=CredentialKind.SESSION, account_id=account_id, limits=DEFAULT_PLANS["free"]
        )
        signer = SessionSigner(key or auth.signing_key)
        now = int(time.time()) - age_seconds
        return signer.sign(principal, account_id=account_id, session_id=new_id(), now=now)

    return sign


async def test_a_missing_credential_is_401_where_one_is_required(
    gateway: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    async with http.get(gateway.url + IMAGE) as reply:
        assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await reply.json())["code"] == "credentials_missing"
    async with http.get(gateway.url + MEDIA) as reply:
        assert reply.status == 200


async def test_key_02_a_wrong_checksum_is_401_without_asking_auth(
    gateway: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    key = mint("pk")
    mistyped = key[:-1] + ("1" if key[-1] != "1" else "2")
    for text in (mistyped, "pk_", "", "hello", "pk_" + "é" * 32):
        async with http.get(gateway.url + IMAGE, headers={"X-API-Key": text}) as reply:
            assert reply.status == 401
            assert (await reply.json())["code"] == "credentials_invalid"
    assert auth.asked == 0


async def test_a_wrong_credential_is_never_taken_for_none(
    gateway: Any, session_for: Any, http: aiohttp.ClientSession
) -> None:
    for headers in (
        {"X-API-Key": mint("pk")},
        {"Authorization": f"Bearer {mint('live')}"},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": f"Bearer {session_for(age_seconds=4000)}"},
        {"Authorization": f"Bearer {session_for(key=make_signing_key())}"},
        {"Authorization": "Basic dTpw"},
        {"Authorization": "Bearer"},
    ):
        async with http.get(gateway.url + MEDIA, headers=headers) as reply:
            assert reply.status == 401, headers


async def test_key_04_a_key_in_the_query_opens_nothing_and_is_not_logged(
    gateway: Any, auth: Any, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    key, _ = auth.add_key()
    async with http.get(f"{gateway.url}{IMAGE}?api_key={key}&key={key}") as reply:
        assert reply.status == 401
    assert key not in capsys.readouterr().out


async def test_auth_is_asked_once_for_many_calls_at_the_same_time(
    gateway: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    key, _ = auth.add_key()
    auth.delay_seconds = 0.1

    async def call() -> int:
        async with http.get(gateway.url + IMAGE, headers={"X-API-Key": key}) as reply:
            return reply.status

    assert set(await asyncio.gather(*(call() for _ in range(20)))) == {200}
    assert await call() == 200
    assert auth.asked == 1


async def test_an_unknown_key_is_asked_about_once(
    gateway: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    key = mint("pk")
    for _ in range(3):
        async with http.get(gateway.url + IMAGE, headers={"X-API-Key": key}) as reply:
            assert reply.status == 401
    assert auth.asked == 1


async def test_auth_down_keeps_known_keys_working_and_answers_503_for_others(
    gateway: Any, auth: Any, http: aiohttp.ClientSession
) -> None:
    known, _ = auth.add_key()
    other, _ = auth.add_key()
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": known}) as reply:
        assert reply.status == 200
    auth.status = 500
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": known}) as reply:
        assert reply.status == 200
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": other}) as reply:
        assert (reply.status, reply.headers["Retry-After"]) == (503, "2")
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": "pk_wrong"}) as reply:
        assert reply.status == 401


async def test_key_05_a_revoked_key_opens_nothing_within_a_second(
    gateway: Any, auth: Any, http: aiohttp.ClientSession, nats_settings: Any
) -> None:
    key, principal = auth.add_key()
    headers = {"X-API-Key": key}
    await gateway.app.service.state.resources.bus.wait_connected()
    async with http.get(gateway.url + IMAGE, headers=headers) as reply:
        assert reply.status == 200
    del auth.holders[key]
    async with open_jetstream(nats_settings, name="test") as bus:
        await bus.wait_connected()
        event = KeyRevokedV1(account_id=principal.account_id, key_id=principal.key_id)
        await bus.publish(event)
    async with asyncio.timeout(1):
        while True:
            async with http.get(gateway.url + IMAGE, headers=headers) as reply:
                if reply.status == 401:
                    break
            await asyncio.sleep(0.01)


async def test_a_reconnect_drops_everything_remembered(
    start_gateway: Any, auth: Any, http: aiohttp.ClientSession, nats_server: Any
) -> None:
    gateway = await start_gateway(nats=nats_server.settings)
    bus = gateway.app.service.state.resources.bus
    await bus.wait_connected()
    key, _ = auth.add_key()
    async with http.get(gateway.url + IMAGE, headers={"X-API-Key": key}) as reply:
        assert reply.status == 200
    del auth.holders[key]
    await nats_server.stop()
    while not bus.is_away:
        await asyncio.sleep(0.05)
    await nats_server.start()
    await bus.wait_connected()
    async with asyncio.timeout(2):
        while True:
            async with http.get(gateway.url + IMAGE, headers={"X-API-Key": key}) as reply:
                if reply.status == 401:
                    break
            await asyncio.sleep(0.02)


async def test_a_session_opens_account_routes_and_a_key_is_403_there(
    gateway: Any, auth: Any, session_for: Any, http: aiohttp.ClientSession
) -> None:
    bearer = {"Authorization": f"Bearer {session_for()}"}
    key = {"X-API-Key": auth.add_key()[0]}
    async with http.get(gateway.url + KEYS, headers=bearer) as reply:
        assert (await reply.json()) == {"path": KEYS}
    for method, path in (
        ("GET", KEYS),
        ("POST", "/api/v1/auth/login"),
        ("DELETE", f"{KEYS}/key_1"),
    ):
        async with http.request(method, gateway.url + path, headers=key) as reply:
            assert (reply.status, (await reply.json())["code"]) == (403, "forbidden")
    async with http.post(f"{gateway.url}/api/v1/auth/login", json={}) as reply:
        assert reply.status == 200


async def test_two_credentials_of_one_account_agree_and_of_two_are_401(
    gateway: Any, auth: Any, session_for: Any, neighbour: Any, http: aiohttp.ClientSession
) -> None:
    key, principal = auth.add_key()
    same, other = session_for(principal.account_id), session_for()
    headers = {"X-API-Key": key, "Authorization": f"Bearer {same}"}
    async with http.get(gateway.url + IMAGE, headers=headers) as reply:
        assert reply.status == 200
    # On pichr paths Authorization decides, so the key beside it does not make this a key's call.
    async with http.get(gateway.url + KEYS, headers=headers) as reply:
        assert reply.status == 200
    headers["Authorization"] = f"Bearer {other}"
    async with http.get(gateway.url + IMAGE, headers=headers) as reply:
        assert reply.status == 401


async def test_a_header_sent_twice_is_401(gateway: Any, auth: Any, connect: Any) -> None:
    key, _ = auth.add_key()
    raw = await connect(gateway)
    line = f"X-API-Key: {key}\r\n"
    await raw.send(f"GET {IMAGE} HTTP/1.1\r\nHost: a\r\n{line}{line}\r\n".encode())
    assert (await raw.head())[0] == 401


async def test_the_session_keys_are_published(gateway: Any, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{gateway.url}/.well-known/jwks.json") as reply:
        assert (await reply.json())["keys"][0]["crv"] == "Ed25519"
