import asyncio

import aiohttp
import asyncpg
import pytest
from fastapi import FastAPI

from darkroom.platform.settings import NatsSettings, S3Settings
from darkroom.testing.fixtures.stores import DatabaseFactory
from darkroom.testing.fixtures.web import AppServer
from darkroom.testing.own import OwnNats, OwnPostgres, OwnS3


async def fetch(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_each_database_is_fresh_and_owned_by_its_role(database: DatabaseFactory) -> None:
    first, second = await asyncio.gather(database(None), database(None))
    await fetch(first, "CREATE TABLE notes (word text)")
    assert await fetch(first, "SELECT to_regclass('notes')") is not None
    assert await fetch(second, "SELECT to_regclass('notes')") is None


async def test_broker_and_object_store_answer(
    nats_settings: NatsSettings, s3_settings: S3Settings, http: aiohttp.ClientSession
) -> None:
    host, port = nats_settings.servers.removeprefix("nats://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    assert (await reader.readline()).startswith(b"INFO ")
    writer.close()
    async with http.get(s3_settings.endpoint) as reply:
        assert reply.status in {400, 403}


async def test_an_own_broker_comes_back_on_its_port_after_a_wipe(nats_server: OwnNats) -> None:
    before = nats_server.settings
    (nats_server.directory / "jetstream" / "left").write_text("over")
    await nats_server.wipe()
    assert nats_server.settings == before
    assert not (nats_server.directory / "jetstream" / "left").exists()


async def test_an_own_postgres_keeps_what_was_committed_through_a_kill(
    postgres_server: OwnPostgres,
) -> None:
    await fetch(postgres_server.dsn(), "CREATE TABLE notes (word text)")
    await fetch(postgres_server.dsn(), "INSERT INTO notes VALUES ('kept')")
    await postgres_server.restart()
    assert await fetch(postgres_server.dsn(), "SELECT word FROM notes") == "kept"


async def test_an_own_object_store_is_gone_while_it_is_stopped(
    s3_server: OwnS3, http: aiohttp.ClientSession
) -> None:
    await s3_server.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(s3_server.settings.endpoint)
    await s3_server.start()
    async with http.get(s3_server.settings.endpoint) as reply:
        assert reply.status in {400, 403}


async def test_passport_keys_are_published(
    passport_keys_url: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(passport_keys_url) as reply:
        assert [key["crv"] for key in (await reply.json())["keys"]] == ["Ed25519"]


async def test_an_app_is_served_with_its_lifespan(
    serve_app: AppServer, http: aiohttp.ClientSession
) -> None:
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "there"

    async with http.get(await serve_app(app) + "/hello") as reply:
        assert await reply.json() == "there"
