import secrets
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from darkroom.testing.stack import Partr, Stack, free_port, start_stack, stop_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("platform") / "home", free_port())
    yield running
    stop_stack(running.process)


@pytest.fixture
async def partr(stack: Stack) -> AsyncIterator[Partr]:
    async with aiohttp.ClientSession() as http:
        yield Partr(http, stack.base_url, stack.key)


@pytest.fixture
async def nobody(stack: Stack) -> AsyncIterator[Partr]:
    async with aiohttp.ClientSession() as http:
        yield Partr(http, stack.base_url, None)


@pytest.fixture
async def stranger(stack: Stack, nobody: Partr) -> AsyncIterator[Partr]:
    name = f"stranger{secrets.token_hex(4)}"
    body = {
        "email": f"{name}@example.org",
        "password": "correct horse battery staple",
        "username": name,
        "ageConfirmed": True,
    }
    assert (await nobody.call("POST", "/api/v1/auth/signup", json=body)).status == 201
    login = await nobody.call("POST", "/api/v1/auth/login", json=body)
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    made = await nobody.call(
        "POST", "/api/v1/keys", json={"name": "mine", "kind": "pk"}, headers=bearer
    )
    assert made.status == 201, made.body
    async with aiohttp.ClientSession() as http:
        yield Partr(http, stack.base_url, made.json()["key"])
