import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr

from darkroom.auth.app import create_app
from darkroom.auth.settings import AuthSettings
from darkroom.contracts.claims import CredentialKind
from darkroom.contracts.credentials import KEY_CHECK_PATH
from darkroom.contracts.ids import Prefix, decode_id
from darkroom.contracts.surfaces import Surface
from darkroom.platform.settings import NatsSettings, PassportSettings, PostgresSettings
from darkroom.testing.fixtures.passports import PassportFactory
from darkroom.testing.fixtures.stores import DatabaseFactory
from darkroom.testing.fixtures.web import AppServer

Reply = tuple[int, Any]


@pytest_asyncio.fixture
async def settings(
    database: DatabaseFactory, nats_settings: NatsSettings, passport_keys_url: str, tmp_path: Path
) -> AuthSettings:
    return AuthSettings(
        postgres=PostgresSettings(dsn=SecretStr(await database("auth"))),
        nats=nats_settings,
        passport=PassportSettings(keys_url=passport_keys_url),
        session_key_file=tmp_path / "session.pem",
        pepper_file=tmp_path / "pepper",
        admin_email="Boss@example.com",
    )


@pytest.fixture
def app(settings: AuthSettings) -> FastAPI:
    return create_app(settings, {"serve"})


@pytest_asyncio.fixture
async def base_url(app: FastAPI, serve_app: AppServer) -> str:
    return await serve_app(app)


@pytest.fixture
def call(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory
) -> Callable[..., Awaitable[Reply]]:
    anonymous = passport_for(credential=CredentialKind.ANONYMOUS, surface=Surface.PICHR)

    async def make(
        method: str, path: str, body: object = None, *, headers: Mapping[str, str] = anonymous
    ) -> Reply:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        async with http.request(method, base_url + path, data=payload, headers=headers) as reply:
            text = await reply.read()
            return reply.status, json.loads(text) if text else None

    return make


@pytest.fixture
def person() -> Callable[..., dict[str, Any]]:
    numbers = itertools.count(1)

    def make(**changes: Any) -> dict[str, Any]:
        number = next(numbers)
        whole = {
            "email": f"person{number}@example.com",
            "password": "correct horse battery staple",
            "username": f"person_{number}",
            "firstName": "Given",
            "lastName": "Family",
            "ageConfirmed": True,
        }
        return {name: value for name, value in (whole | changes).items() if value is not ...}

    return make


@pytest.fixture
def session_of(passport_for: PassportFactory) -> Callable[[dict[str, Any]], dict[str, str]]:
    def make(signed_in: dict[str, Any]) -> dict[str, str]:
        account_id = decode_id(signed_in["user"]["id"], Prefix.ACCOUNT)
        return passport_for(account_id, credential=CredentialKind.SESSION, surface=Surface.PICHR)

    return make


@pytest_asyncio.fixture
async def member(
    call: Callable[..., Awaitable[Reply]],
    person: Callable[..., dict[str, Any]],
    session_of: Callable[[dict[str, Any]], dict[str, str]],
) -> dict[str, str]:
    _, signed_in = await call("POST", "/api/v1/auth/signup", person())
    return session_of(signed_in)


@pytest.fixture
def check_key(call: Callable[..., Awaitable[Reply]]) -> Callable[[str], Awaitable[Reply]]:
    async def make(key: str) -> Reply:
        return await call("POST", KEY_CHECK_PATH, {"key": key}, headers={})

    return make


@pytest.fixture
def sql(settings: AuthSettings) -> Callable[..., Awaitable[list[Any]]]:
    dsn = settings.postgres.dsn.get_secret_value().replace("+asyncpg", "")

    async def run(statement: str, *values: object) -> list[Any]:
        connection = await asyncpg.connect(dsn, ssl=False)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    return run


@pytest.fixture
def dump(sql: Callable[..., Awaitable[list[Any]]]) -> Callable[[], Awaitable[str]]:
    async def make() -> str:
        tables = await sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [
            await sql(f'SELECT t::text FROM "{table[0]}" AS t')  # noqa: S608 - a name of our own
            for table in tables
        ]
        return "\n".join(row[0] for table in rows for row in table)

    return make
