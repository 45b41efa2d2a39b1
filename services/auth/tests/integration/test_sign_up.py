import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from darkroom.auth.settings import AuthSettings
from darkroom.contracts.claims import CredentialKind, Role
from darkroom.contracts.surfaces import Stage
from darkroom.platform.auth import apikeys
from darkroom.platform.auth.keys import load_or_create_signing_key, local_key_set
from darkroom.platform.auth.sessions import SessionVerifier
from darkroom.testing.fixtures.passports import PassportFactory

Call = Callable[..., Awaitable[tuple[int, Any]]]
Person = Callable[..., dict[str, Any]]
SQL = Callable[..., Awaitable[list[Any]]]
SIGN_UP = "/api/v1/auth/signup"
LOG_IN = "/api/v1/auth/login"


async def test_a_sign_up_answers_as_the_documented_sample(call: Call, person: Person) -> None:
    await call("POST", SIGN_UP, person())
    wanted = person()
    status, body = await call("POST", SIGN_UP, wanted)
    assert status == 201
    user = body["user"]
    assert user.pop("id").startswith("usr_")
    assert user == {
        "email": wanted["email"],
        "username": wanted["username"],
        "role": "user",
        "plan": "free",
        "ageConfirmed": True,
    }
    assert set(body["session"]) == {"access_token", "refresh_token", "expires_in"}
    assert body["session"]["expires_in"] == 3_600
    assert body["session"].items() <= body.items()


async def test_the_first_reply_carries_a_test_key_that_works(
    call: Call, person: Person, check_key: Call
) -> None:
    _, body = await call("POST", SIGN_UP, person())
    assert apikeys.kind_of(body["test_key"]) == "test"
    status, holder = await check_key(body["test_key"])
    assert (status, holder["principal"]["stage"]) == (200, Stage.TEST)


async def test_the_access_token_says_who_signed_in(
    call: Call, person: Person, settings: AuthSettings
) -> None:
    _, body = await call("POST", SIGN_UP, person())
    keys = local_key_set(load_or_create_signing_key(settings.session_key_file))
    claims = await SessionVerifier(keys).verify(body["access_token"])
    assert claims.principal.credential is CredentialKind.SESSION
    assert claims.principal.account_id == claims.sub
    assert claims.principal.limits.plan == "free"
    assert claims.exp - claims.iat == 3_600


async def test_the_first_account_of_an_installation_is_its_administrator(
    call: Call, person: Person
) -> None:
    replies = await asyncio.gather(*(call("POST", SIGN_UP, person()) for _ in range(4)))
    roles = sorted(body["user"]["role"] for _, body in replies)
    assert roles == [Role.ADMIN, Role.USER, Role.USER, Role.USER]


async def test_the_address_named_by_the_operator_is_an_administrator_in_any_spelling(
    call: Call, person: Person
) -> None:
    await call("POST", SIGN_UP, person())
    _, body = await call("POST", SIGN_UP, person(email="bOSS@Example.com"))
    assert body["user"]["role"] == "admin"


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("email", "Person1@EXAMPLE.com", "email_taken"),
        ("username", "PERSON_1", "username_taken"),
    ],
)
async def test_a_taken_address_or_name_is_a_conflict_in_any_spelling(
    call: Call, person: Person, sql: SQL, field: str, text: str, code: str
) -> None:
    await call("POST", SIGN_UP, person())
    status, body = await call("POST", SIGN_UP, person(**{field: text}))
    assert (status, body["code"]) == (409, code)
    assert set(body["details"]) == {field}
    assert len(await sql("SELECT 1 FROM accounts")) == 1


async def test_of_simultaneous_sign_ups_with_one_address_one_wins(
    call: Call, person: Person, sql: SQL
) -> None:
    wanted = [person(email="twin@example.com") for _ in range(6)]
    replies = await asyncio.gather(*(call("POST", SIGN_UP, each) for each in wanted))
    assert sorted(status for status, _ in replies) == [201, 409, 409, 409, 409, 409]
    assert len(await sql("SELECT 1 FROM accounts")) == 1


async def test_age_confirmed_must_be_said_and_may_be_false(call: Call, person: Person) -> None:
    status, body = await call("POST", SIGN_UP, person(ageConfirmed=...))
    assert (status, body["code"]) == (400, "missing_field")
    assert set(body["details"]) == {"ageConfirmed"}
    status, body = await call("POST", SIGN_UP, person(ageConfirmed=False))
    assert (status, body["user"]["ageConfirmed"]) == (201, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no-at-sign"),
        ("email", "nul\x00@example.com"),
        ("email", "a@" + "b" * 300 + ".com"),
        ("email", 7),
        ("email", None),
        ("email", "\ud800@example.com"),
        ("username", ""),
        ("username", "two words"),
        ("username", "x" * 151),
        ("username", "nul\x00"),
        ("password", "seven77"),
        ("password", "password123"),
        ("password", "with\x00nul-in-it"),
        ("password", "lone\udfffsurrogate"),
        ("password", "x" * 900_000),
        ("password", ["list", "of", "words"]),
        ("firstName", "nul\x00"),
        ("lastName", "\ud800"),
        ("lastName", "x" * 101),
        ("ageConfirmed", "yes"),
    ],
)
async def test_tok_17_a_bad_field_is_named_and_nothing_stored(
    call: Call, person: Person, sql: SQL, field: str, value: object
) -> None:
    status, body = await call("POST", SIGN_UP, person(**{field: value}))
    assert status == 400
    assert set(body["details"]) == {field}
    assert await sql("SELECT 1 FROM accounts") == []
    assert (await call("POST", SIGN_UP, person()))[0] == 201


async def test_all_bad_fields_are_named_at_once(call: Call, person: Person) -> None:
    bad = person(email="x", username="a b", password="short")
    _, body = await call("POST", SIGN_UP, bad)
    assert set(body["details"]) == {"email", "username", "password"}


@pytest.mark.parametrize(
    "password",
    [
        "only 64 characters: " + "abcdefghijk" * 4,
        "kürzer geht's nicht, aber länger " * 4,
        "🦊🐙🦉🐝🦀🐢🦋🐌",
        " leading and trailing ",
    ],
)
async def test_tok_17_long_passwords_spaces_and_emoji_are_taken_as_they_are(
    call: Call, person: Person, password: str
) -> None:
    wanted = person(password=password)
    assert (await call("POST", SIGN_UP, wanted))[0] == 201
    sign_in = {"email": wanted["email"], "password": password}
    assert (await call("POST", LOG_IN, sign_in))[0] == 200
    sign_in["password"] = password + " "
    assert (await call("POST", LOG_IN, sign_in))[0] == 401


async def test_tok_17_a_body_over_a_megabyte_is_refused_unread(call: Call, person: Person) -> None:
    status, body = await call("POST", SIGN_UP, person(password="x" * 1_000_000))
    assert (status, body["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"email": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_a_body_that_is_no_sign_up_is_a_400(call: Call, body: bytes) -> None:
    status, reply = await call("POST", SIGN_UP, body)
    assert status == 400
    assert reply["request_id"]


async def test_unknown_fields_are_ignored_and_grant_nothing(call: Call, person: Person) -> None:
    await call("POST", SIGN_UP, person())
    wanted = person(role="admin", plan="unlimited", id="usr_0")
    _, body = await call("POST", SIGN_UP, wanted)
    assert (body["user"]["role"], body["user"]["plan"]) == ("user", "free")


async def test_signing_up_needs_a_passport_and_is_not_done_with_a_key(
    call: Call, person: Person, passport_for: PassportFactory
) -> None:
    assert (await call("POST", SIGN_UP, person(), headers={}))[0] == 401
    key = passport_for(credential=CredentialKind.KEY)
    assert (await call("POST", SIGN_UP, person(), headers=key))[0] == 403
