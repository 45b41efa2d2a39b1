import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from darkroom.platform.auth.jwks import parse_key_set
from darkroom.platform.auth.keys import (
    MAX_AGE_SECONDS,
    REFETCH_SECONDS,
    RETRY_SECONDS,
    RemoteKeySet,
    SigningKey,
    make_signing_key,
    open_remote_key_set,
    public_key_set,
)
from darkroom.platform.errors import Unavailable
from darkroom.testing.fixtures.web import AppServer


class Issuer:
    def __init__(self, *keys: SigningKey) -> None:
        self.document: object = public_key_set(*keys)
        self.status = 200
        self.fetches = 0

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.fetches += 1
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        body = json.dumps(self.document).encode()
        await send({"type": "http.response.body", "body": body})


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(signing_key: SigningKey) -> Issuer:
    return Issuer(signing_key)


@pytest_asyncio.fixture
async def remote(
    issuer: Issuer, serve_app: AppServer, http: aiohttp.ClientSession, clock: Clock
) -> AsyncIterator[RemoteKeySet]:
    yield RemoteKeySet(http, await serve_app(issuer, lifespan="off"), clock=clock)


async def test_a_key_is_fetched_once(
    remote: RemoteKeySet, issuer: Issuer, signing_key: SigningKey
) -> None:
    for _ in range(3):
        key = await remote.key_for(signing_key.kid)
        assert key is not None
        assert key.public_bytes_raw() == signing_key.public.public_bytes_raw()
    assert issuer.fetches == 1


async def test_tok_03_unknown_key_ids_do_not_become_fetches(
    remote: RemoteKeySet, issuer: Issuer, clock: Clock
) -> None:
    for number in range(20):
        assert await remote.key_for(f"invented-{number}") is None
    assert issuer.fetches == 1
    clock.now += REFETCH_SECONDS
    assert await remote.key_for("invented") is None
    assert issuer.fetches == 2


async def test_tok_09_a_second_key_is_found_and_a_withdrawn_one_forgotten(
    remote: RemoteKeySet, issuer: Issuer, clock: Clock, signing_key: SigningKey
) -> None:
    await remote.key_for(signing_key.kid)
    successor = make_signing_key()
    issuer.document = public_key_set(signing_key, successor)
    clock.now += REFETCH_SECONDS
    assert await remote.key_for(successor.kid) is not None
    assert await remote.key_for(signing_key.kid) is not None
    issuer.document = public_key_set(successor)
    clock.now += MAX_AGE_SECONDS + 1
    assert await remote.key_for(signing_key.kid) is None


@pytest.mark.parametrize("document", [[], {"keys": 1}, "text", None])
async def test_an_issuer_that_talks_nonsense_is_unavailable(
    remote: RemoteKeySet, issuer: Issuer, document: object
) -> None:
    issuer.document = document
    with pytest.raises(Unavailable):
        await remote.key_for("any")


async def test_known_keys_outlive_their_issuer_and_it_is_asked_again_soon(
    remote: RemoteKeySet, issuer: Issuer, clock: Clock, signing_key: SigningKey
) -> None:
    await remote.key_for(signing_key.kid)
    issuer.status = 503
    clock.now += MAX_AGE_SECONDS + 1
    assert await remote.key_for(signing_key.kid) is not None
    with pytest.raises(Unavailable):
        await remote.key_for("unknown")
    issuer.status = 200
    clock.now += RETRY_SECONDS
    assert await remote.key_for("unknown") is None
    assert issuer.fetches == 3


async def test_an_issuer_that_is_not_there_makes_readiness_fail(unused_tcp_port: int) -> None:
    async with open_remote_key_set(f"http://127.0.0.1:{unused_tcp_port}/keys") as remote:
        with pytest.raises(Unavailable):
            await remote.check()


def test_keys_we_do_not_use_are_left_out(signing_key: SigningKey) -> None:
    good = public_key_set(signing_key)["keys"][0]
    odd = [
        {**good, "kty": "EC"},
        {**good, "crv": "Ed448"},
        {**good, "kid": "../../x"},
        {**good, "kid": None},
        {**good, "x": "AAAA"},
        {**good, "x": "é"},
        {**good, "x": 7},
        "text",
    ]
    assert set(parse_key_set({"keys": [*odd, good]})) == {signing_key.kid}
