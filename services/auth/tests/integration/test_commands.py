import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from darkroom.auth.settings import AuthSettings
from darkroom.platform.auth import apikeys

Call = Callable[..., Awaitable[tuple[int, Any]]]
SQL = Callable[..., Awaitable[list[Any]]]
Command = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]
LOG_IN = "/api/v1/auth/login"


@pytest.fixture
def order() -> dict[str, Any]:
    return {
        "admin": {"email": "admin@darkroom.local", "password": "an administrator's words"},
        "demo": {
            "email": "demo@darkroom.local",
            "password": "a demonstrator's words",
            "username": "demo",
            "plan": "unlimited",
        },
    }


@pytest.fixture
def environment(settings: AuthSettings) -> dict[str, str]:
    return {
        "AUTH_POSTGRES__DSN": settings.postgres.dsn.get_secret_value(),
        "AUTH_PASSPORT__KEYS_URL": settings.passport.keys_url,
        "AUTH_SESSION_KEY_FILE": str(settings.session_key_file),
        "AUTH_PEPPER_FILE": str(settings.pepper_file),
        "AUTH_NATS__SERVERS": settings.nats.servers,
        "DARKROOM_ADMIN_EMAIL": "boss@example.com",
    }


@pytest.fixture
def command(environment: dict[str, str]) -> Command:
    async def run(*words: str, given: object = None) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "darkroom.auth", *words],
            input=json.dumps(given),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


async def test_bootstrap_makes_both_accounts_and_keys_that_work(
    command: Command, order: dict[str, Any], call: Call, check_key: Call
) -> None:
    done = await command("bootstrap", given=order)
    assert (done.returncode, done.stderr) == (0, "")
    keys = json.loads(done.stdout)["keys"]
    assert set(keys) == set(apikeys.KINDS)
    for key in keys.values():
        status, holder = await check_key(key)
        assert (status, holder["principal"]["limits"]["plan"]) == (200, "unlimited")
    _, admin = await call("POST", LOG_IN, order["admin"])
    _, demo = await call("POST", LOG_IN, order["demo"])
    assert (admin["user"]["role"], admin["user"]["username"]) == ("admin", "admin")
    assert (demo["user"]["role"], demo["user"]["plan"]) == ("user", "unlimited")


async def test_bootstrap_repeated_keeps_what_is_there_and_makes_what_is_not(
    command: Command, order: dict[str, Any], sql: SQL
) -> None:
    keys = json.loads((await command("bootstrap", given=order)).stdout)["keys"]
    again = json.loads((await command("bootstrap", given=order | {"keys": keys})).stdout)["keys"]
    assert again == keys
    await sql("UPDATE api_keys SET revoked_at = now() WHERE kind = 'live'")
    mended = json.loads((await command("bootstrap", given=order | {"keys": keys})).stdout)["keys"]
    assert mended["live"] != keys["live"]
    assert mended | {"live": keys["live"]} == keys
    assert len(await sql("SELECT 1 FROM accounts")) == 2
    assert len(await sql("SELECT 1 FROM api_keys")) == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"admin": {"email": "x"}}, "admin.password"),
        ({"demo": None}, "demo"),
        ({"keys": {"other": "x"}}, "keys.other"),
    ],
)
async def test_bootstrap_says_where_an_order_is_wrong_and_repeats_nothing_of_it(
    command: Command, order: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    done = await command("bootstrap", given=order | change)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert order["admin"]["password"] not in done.stderr


async def test_bootstrap_refuses_a_plan_that_is_not_there(
    command: Command, order: dict[str, Any], sql: SQL
) -> None:
    order["demo"]["plan"] = "imaginary"
    done = await command("bootstrap", given=order)
    assert done.returncode == 1
    assert "imaginary" in done.stderr
    assert await sql("SELECT 1 FROM accounts") == []


async def test_migrating_a_migrated_database_changes_nothing(command: Command) -> None:
    assert (await command("migrate")).returncode == 0


@pytest.mark.parametrize("words", [["dance"], ["serve", "migrate"], []])
async def test_words_that_make_no_sense_together_are_refused(
    command: Command, words: list[str]
) -> None:
    done = await command(*words)
    assert done.returncode == 2
    assert "usage" in done.stderr


async def test_the_process_serves_until_it_is_told_to_end(
    environment: dict[str, str], unused_tcp_port: int, http: aiohttp.ClientSession
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "darkroom.auth", "serve", "relay"),
        env=environment | {"AUTH_HTTP__PORT": str(unused_tcp_port)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            while not await is_ready(http, unused_tcp_port):
                await asyncio.sleep(0.05)
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() in {0, -signal.SIGTERM}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def is_ready(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/-/ready") as reply:
            return reply.status == 200
    except aiohttp.ClientConnectionError:
        return False
