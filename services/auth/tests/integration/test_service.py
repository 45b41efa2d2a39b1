import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from darkroom.auth.app import create_app
from darkroom.auth.domain.key import LAST_USED_EVERY
from darkroom.auth.settings import AuthSettings
from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.credentials import SESSION_KEYS_PATH
from darkroom.platform.messaging.jetstream import open_jetstream
from darkroom.platform.settings import PostgresSettings
from darkroom.testing.fixtures.web import AppServer

Call = Callable[..., Awaitable[tuple[int, Any]]]
Person = Callable[..., dict[str, Any]]
SQL = Callable[..., Awaitable[list[Any]]]
KEYS = "/api/v1/keys"


@pytest.mark.parametrize("path", [SESSION_KEYS_PATH, "/.well-known/jwks.json"])
async def test_the_published_keys_verify_a_session_for_any_library(
    call: Call, person: Person, path: str
) -> None:
    _, signed_up = await call("POST", "/api/v1/auth/signup", person())
    status, document = await call("GET", path, headers={})
    assert status == 200
    assert "d" not in document["keys"][0]
    key = jwt.PyJWK(document["keys"][0])
    claims = jwt.decode(
        signed_up["access_token"], key, algorithms=["EdDSA"], audience="darkroom-gateway"
    )
    assert claims["principal"]["role"] == "admin"


async def test_replies_with_secrets_are_not_kept_by_caches(
    base_url: str, http: aiohttp.ClientSession, member: dict[str, str]
) -> None:
    async with http.get(base_url + KEYS, headers=member) as reply:
        assert reply.headers["Cache-Control"] == "no-store"
    async with http.head(base_url + KEYS, headers=member) as reply:
        assert reply.status == 200


async def test_every_operation_has_a_name_and_no_internal_one_is_described(app: FastAPI) -> None:
    described = app.openapi()["paths"]
    names = [each["operationId"] for path in described.values() for each in path.values()]
    assert sorted(names) == sorted(
        ["signUp", "logIn", "listKeys", "createKey", "revokeKey", "getPublicKeys"]
    )
    assert not any(path.startswith("/-/") for path in described)


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/-/openapi.json", "/redoc"])
async def test_no_documentation_is_served_by_the_service(call: Call, path: str) -> None:
    assert (await call("GET", path))[0] == 404


async def test_last_use_is_written_at_most_once_a_minute(
    app: FastAPI, call: Call, member: dict[str, str], sql: SQL
) -> None:
    await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    resources, (row,) = app.state.resources, await sql("SELECT id FROM api_keys WHERE kind = 'pk'")
    now = datetime.now(UTC)
    for seconds in (0, 30, 59):
        used_at = now + timedelta(seconds=seconds)
        resources.last_used.note(row["id"], now=used_at)
        await resources.last_used.write(resources.sessions, now=used_at)
    assert (await sql("SELECT max(last_used_at) FROM api_keys"))[0][0] == now
    later = now + LAST_USED_EVERY
    resources.last_used.note(row["id"], now=later)
    await resources.last_used.write(resources.sessions, now=later)
    assert (await sql("SELECT max(last_used_at) FROM api_keys"))[0][0] == later


async def test_the_key_check_is_written_down_soon_after_without_being_asked(
    call: Call, member: dict[str, str], check_key: Call, sql: SQL
) -> None:
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    await check_key(created["key"])
    used = "SELECT kind FROM api_keys WHERE last_used_at IS NOT NULL"
    async with asyncio.timeout(10):
        while not (rows := await sql(used)):
            await asyncio.sleep(0.05)
    assert [row["kind"] for row in rows] == ["pk"]


async def test_key_05_the_relay_tells_everybody_that_a_key_was_revoked(
    settings: AuthSettings, call: Call, member: dict[str, str], serve_app: AppServer
) -> None:
    heard: asyncio.Queue[KeyRevokedV1] = asyncio.Queue()
    await serve_app(create_app(settings, {"relay"}))
    async with open_jetstream(settings.nats, name="listener") as bus:
        await bus.listen(KeyRevokedV1, heard.put)
        await bus.wait_connected()
        _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
        await call("DELETE", f"{KEYS}/{created['id']}", headers=member)
        async with asyncio.timeout(10):
            revoked = await heard.get()
    assert created["id"].startswith("key_")
    assert str(revoked.key_id) != str(revoked.account_id)


async def test_a_relay_alone_answers_probes_and_no_question(
    settings: AuthSettings, serve_app: AppServer, http: aiohttp.ClientSession
) -> None:
    base_url = await serve_app(create_app(settings, {"relay"}))
    async with http.get(f"{base_url}/-/ready") as reply:
        assert reply.status == 200
    async with http.post(f"{base_url}/api/v1/auth/login", json={}) as reply:
        assert reply.status == 404


async def test_without_its_database_auth_is_alive_not_ready_and_says_try_again(
    settings: AuthSettings, serve_app: AppServer, http: aiohttp.ClientSession
) -> None:
    dsn = "postgresql+asyncpg://auth:wrong@127.0.0.1:1/auth"
    away = settings.model_copy(update={"postgres": PostgresSettings(dsn=SecretStr(dsn))})
    base_url = await serve_app(create_app(away, {"serve"}))
    async with http.get(f"{base_url}/-/live") as reply:
        assert reply.status == 200
    async with http.get(f"{base_url}/-/ready") as reply:
        assert reply.status == 503
