import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import argon2
import pytest
from fastapi import FastAPI

from darkroom.auth.engines import passwords
from darkroom.auth.engines.passwords import PasswordHasher

Call = Callable[..., Awaitable[tuple[int, Any]]]
Person = Callable[..., dict[str, Any]]
SQL = Callable[..., Awaitable[list[Any]]]
SIGN_UP = "/api/v1/auth/signup"
LOG_IN = "/api/v1/auth/login"


async def test_a_login_answers_with_the_user_and_the_session_twice(
    call: Call, person: Person
) -> None:
    wanted = person()
    _, signed_up = await call("POST", SIGN_UP, wanted)
    sign_in = {"email": wanted["email"].upper(), "password": wanted["password"]}
    status, body = await call("POST", LOG_IN, sign_in)
    assert status == 200
    assert set(body) == {"user", "session", "access_token", "refresh_token", "expires_in"}
    assert body["user"] == signed_up["user"]
    assert body["session"].items() <= body.items()
    assert body["refresh_token"] != signed_up["refresh_token"]


async def test_tok_16_an_unknown_address_and_a_wrong_password_get_one_answer(
    call: Call, person: Person
) -> None:
    wanted = person()
    await call("POST", SIGN_UP, wanted)
    replies = [
        await call("POST", LOG_IN, {"email": email, "password": "wrong password"})
        for email in (wanted["email"], "nobody@example.com")
    ]
    for status, body in replies:
        assert status == 401
        del body["request_id"]
    assert replies[0] == replies[1]


async def test_tok_16_an_unknown_address_costs_a_hash_of_the_same_parameters() -> None:
    hasher = PasswordHasher(cores=1)
    try:
        dummy = argon2.extract_parameters(hasher._nobody)
        real = argon2.extract_parameters(await hasher.hash("correct horse battery staple"))
        assert dummy == real
        assert (real.memory_cost, real.time_cost, real.parallelism) == (46 * 1024, 1, 1)
        assert not await hasher.matches(None, "whatever it is")
    finally:
        hasher.close()


async def test_tok_18_hashing_is_capped_and_what_does_not_fit_is_told_so_at_once(
    call: Call, person: Person
) -> None:
    wanted = person()
    await call("POST", SIGN_UP, wanted)
    sign_in = {"email": wanted["email"], "password": "wrong password"}
    replies = await asyncio.gather(*(call("POST", LOG_IN, sign_in) for _ in range(100)))
    assert {status for status, _ in replies} == {401, 503}
    assert (await call("POST", LOG_IN, sign_in))[0] == 401


async def test_tok_18_a_full_queue_takes_nobody_and_empties_by_itself() -> None:
    hasher = PasswordHasher(cores=1)
    try:
        tries = (hasher.matches(None, "x") for _ in range(20))
        results = await asyncio.gather(*tries, return_exceptions=True)
        served = [result for result in results if result is False]
        assert len(served) == 1 + passwords.WAITING_PER_CORE
        assert not await hasher.matches(None, "x")
    finally:
        hasher.close()


async def test_a_caller_who_hangs_up_gives_the_place_back() -> None:
    hasher = PasswordHasher(cores=1)
    try:
        for _ in range(3 * passwords.WAITING_PER_CORE):
            waiting = asyncio.create_task(hasher.matches(None, "x"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert not await hasher.matches(None, "x")
    finally:
        hasher.close()


async def test_tok_20_a_hash_with_older_parameters_is_renewed_at_login(
    call: Call, person: Person, sql: SQL
) -> None:
    wanted = person()
    await call("POST", SIGN_UP, wanted)
    older = argon2.PasswordHasher(2, 19 * 1024, 1).hash(wanted["password"])
    await sql("UPDATE accounts SET password_hash = $1", older)
    sign_in = {"email": wanted["email"], "password": wanted["password"]}
    assert (await call("POST", LOG_IN, sign_in))[0] == 200
    (row,) = await sql("SELECT password_hash FROM accounts")
    assert argon2.extract_parameters(row["password_hash"]).memory_cost == 46 * 1024
    assert (await call("POST", LOG_IN, sign_in))[0] == 200


async def test_a_suspended_account_is_told_so_only_after_the_right_password(
    call: Call, person: Person, sql: SQL
) -> None:
    wanted = person()
    await call("POST", SIGN_UP, wanted)
    await sql("UPDATE accounts SET suspended_at = now()")
    sign_in = {"email": wanted["email"], "password": "wrong password"}
    assert (await call("POST", LOG_IN, sign_in))[0] == 401
    sign_in["password"] = wanted["password"]
    assert (await call("POST", LOG_IN, sign_in))[0] == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nul\x00@example.com"),
        ("email", "\ud800@example.com"),
        ("email", "x" * 500_000),
        ("password", "\ud800 alone"),
        ("password", "x" * 500_000),
        ("password", 12345678),
        ("password", None),
    ],
)
async def test_a_bad_field_is_named(call: Call, field: str, value: object) -> None:
    sign_in = {"email": "a@example.com", "password": "long enough"} | {field: value}
    status, body = await call("POST", LOG_IN, sign_in)
    assert (status, set(body["details"])) == (400, {field})


async def test_logins_hold_no_connection_while_passwords_are_hashed(
    app: FastAPI, call: Call, person: Person
) -> None:
    wanted = person()
    await call("POST", SIGN_UP, wanted)
    sign_in = {"email": wanted["email"], "password": "wrong password"}
    resources, go_on = app.state.resources, threading.Event()
    threads = resources.hasher._threads
    for _ in range(threads._max_workers):
        threads.submit(go_on.wait)
    logins = [asyncio.ensure_future(call("POST", LOG_IN, sign_in)) for _ in range(12)]
    while threads._work_queue.qsize() < len(logins):
        await asyncio.sleep(0.001)
    held = resources.engine.pool.checkedout()
    go_on.set()
    assert held == 0
    assert {status for status, _ in await asyncio.gather(*logins)} == {401}
