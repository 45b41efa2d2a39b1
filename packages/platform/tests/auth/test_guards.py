from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiohttp
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI
from starlette.requests import Request

from darkroom.contracts.claims import PASSPORT_HEADER, CredentialKind, Passport, Scope
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth.guards import (
    AccountPassport,
    CurrentPassport,
    SessionPassport,
    passport_token,
    requires,
)
from darkroom.platform.auth.keys import open_remote_key_set
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service
from darkroom.testing.fixtures.passports import PassportFactory
from darkroom.testing.fixtures.web import AppServer


@pytest_asyncio.fixture
async def base_url(serve_app: AppServer, passport_keys_url: str) -> str:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_remote_key_set(passport_keys_url) as keys:
            app.state.passports = PassportVerifier(keys)
            yield

    app = build_service("sample", readiness=Readiness(), lifespan=lifespan)

    @app.get("/anybody")
    async def anybody(_passport: CurrentPassport) -> None: ...

    @app.get("/account")
    async def account(_passport: AccountPassport) -> None: ...

    @app.get("/session")
    async def session(_passport: SessionPassport) -> None: ...

    @app.get("/upload")
    async def upload(
        _passport: Annotated[Passport, Depends(requires(Scope.UPLOAD))], request: Request
    ) -> str:
        return passport_token(request)

    return await serve_app(app)


@pytest.mark.parametrize(
    ("path", "credential", "status"),
    [
        ("/anybody", CredentialKind.ANONYMOUS, 200),
        ("/anybody", CredentialKind.KEY, 200),
        ("/account", CredentialKind.ANONYMOUS, 401),
        ("/account", CredentialKind.KEY, 200),
        ("/session", CredentialKind.ANONYMOUS, 401),
        ("/session", CredentialKind.KEY, 403),
        ("/session", CredentialKind.SESSION, 200),
        ("/upload", CredentialKind.ANONYMOUS, 401),
        ("/upload", CredentialKind.KEY, 200),
        ("/upload", CredentialKind.SESSION, 200),
    ],
)
async def test_a_route_is_open_to_whom_its_guard_names(
    base_url: str,
    http: aiohttp.ClientSession,
    passport_for: PassportFactory,
    path: str,
    credential: CredentialKind,
    status: int,
) -> None:
    headers = passport_for(credential=credential)
    async with http.get(base_url + path, headers=headers) as reply:
        assert reply.status == status


async def test_key_06_a_key_without_the_scope_is_told_which(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory
) -> None:
    headers = passport_for(scopes=frozenset({Scope.READ}))
    async with http.get(f"{base_url}/upload", headers=headers) as reply:
        body = await reply.json()
    assert reply.status == 403
    assert body["code"] == "scope_missing"
    assert "upload" in body["message"]


async def test_a_refusal_after_the_passport_takes_the_shape_of_its_surface(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory
) -> None:
    headers = passport_for(scopes=frozenset(), surface=Surface.IMAGEPRO)
    async with http.get(f"{base_url}/upload", headers=headers) as reply:
        assert set(await reply.json()) == {"detail"}


async def test_the_passport_is_forwarded_as_it_came(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory
) -> None:
    headers = passport_for()
    async with http.get(f"{base_url}/upload", headers=headers) as reply:
        assert await reply.json() == headers[PASSPORT_HEADER]


@pytest.mark.parametrize("tokens", [[], [""], ["x.y.z"], ["{good}", "{good}"]])
async def test_no_bad_and_two_passports_are_unauthenticated(
    base_url: str, http: aiohttp.ClientSession, passport_for: PassportFactory, tokens: list[str]
) -> None:
    good = passport_for()[PASSPORT_HEADER]
    headers = [(PASSPORT_HEADER, token.format(good=good)) for token in tokens]
    async with http.get(f"{base_url}/anybody", headers=headers) as reply:
        assert reply.status == 401
        assert "passport" not in await reply.text()
