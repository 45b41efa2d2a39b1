import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from darkroom.auth.domain.key import MAX_KEYS
from darkroom.contracts.claims import CredentialKind
from darkroom.contracts.ids import Prefix, encode_id, new_id
from darkroom.platform.auth import apikeys
from darkroom.testing.fixtures.passports import PassportFactory

Call = Callable[..., Awaitable[tuple[int, Any]]]
Person = Callable[..., dict[str, Any]]
SQL = Callable[..., Awaitable[list[Any]]]
SessionOf = Callable[[dict[str, Any]], dict[str, str]]
KEYS = "/api/v1/keys"
SIGN_UP = "/api/v1/auth/signup"


async def test_a_key_is_shown_once_and_listed_by_its_beginning(
    call: Call, member: dict[str, str]
) -> None:
    wanted = {"name": "Camera", "kind": "pk", "scopes": ["upload", "read"]}
    status, created = await call("POST", KEYS, wanted, headers=member)
    assert status == 201
    assert apikeys.looks_valid(created["key"])
    _, listed = await call("GET", KEYS, headers=member)
    text = created.pop("key")
    camera = listed["keys"][0]
    assert camera == created
    assert camera["prefix"] == text[:6]
    assert camera["scopes"] == ["read", "upload"]
    assert (camera["kind"], camera["name"]) == ("pk", "Camera")
    assert camera["lastUsedAt"] is None
    assert camera["expiresAt"] is None
    assert camera["createdAt"].endswith("Z")
    assert text not in json.dumps(listed)


async def test_a_revocation_and_its_event_are_one_transaction(
    call: Call, member: dict[str, str], check_key: Call, sql: SQL
) -> None:
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    for _ in range(2):
        assert (await call("DELETE", f"{KEYS}/{created['id']}", headers=member))[0] == 200
    assert (await check_key(created["key"]))[0] == 401
    (row,) = await sql("SELECT subject, payload FROM outbox")
    assert row["subject"] == "darkroom.accounts.key_revoked.v1"
    key_id = json.loads(row["payload"])["key_id"]
    assert encode_id(Prefix.KEY, UUID(key_id)) == created["id"]
    _, listed = await call("GET", KEYS, headers=member)
    assert created["id"] not in json.dumps(listed)


async def test_simultaneous_revocations_record_one_event(
    call: Call, member: dict[str, str], sql: SQL
) -> None:
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    path = f"{KEYS}/{created['id']}"
    replies = await asyncio.gather(*(call("DELETE", path, headers=member) for _ in range(5)))
    assert {status for status, _ in replies} == {200}
    assert len(await sql("SELECT 1 FROM outbox")) == 1


async def test_key_07_a_foreign_an_unknown_and_an_unreadable_id_are_all_not_found(
    call: Call, member: dict[str, str], person: Person, session_of: SessionOf, check_key: Call
) -> None:
    _, signed_up = await call("POST", SIGN_UP, person())
    stranger = session_of(signed_up)
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=stranger)
    replies = []
    for key_id in (created["id"], encode_id(Prefix.KEY, new_id()), "key_x", "usr_1", "%00", "é"):
        status, body = await call("DELETE", f"{KEYS}/{key_id}", headers=member)
        del body["request_id"]
        replies.append((status, body))
    assert replies[0][0] == 404
    assert all(reply == replies[0] for reply in replies)
    assert (await check_key(created["key"]))[0] == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", "nul\x00"),
        ("name", "\ud800"),
        ("name", None),
        ("kind", "render"),
        ("kind", "PK"),
        ("scopes", []),
        ("scopes", ["root"]),
        ("scopes", "read"),
        ("expiresAt", "2001-01-01T00:00:00Z"),
        ("expiresAt", "2031-01-01T00:00:00"),
        ("expiresAt", "9999-12-31T23:59:59Z"),
        ("expiresAt", "9999-12-31T23:59:59-23:59"),
        ("expiresAt", "0001-01-01T00:00:00+23:59"),
        ("expiresAt", "tomorrow"),
        ("expiresAt", 10**400),
    ],
)
async def test_a_bad_wish_is_named_and_makes_no_key(
    call: Call, member: dict[str, str], sql: SQL, field: str, value: object
) -> None:
    before = len(await sql("SELECT 1 FROM api_keys"))
    wanted = {"name": "x", "kind": "pk"} | {field: value}
    status, body = await call("POST", KEYS, wanted, headers=member)
    assert status == 400
    assert {name.partition(".")[0] for name in body["details"]} == {field}
    assert len(await sql("SELECT 1 FROM api_keys")) == before


async def test_keys_of_an_account_are_bounded(call: Call, member: dict[str, str], sql: SQL) -> None:
    await sql(
        "INSERT INTO api_keys (id, account_id, kind, name, shown, digest, scopes, created_at)"
        " SELECT gen_random_uuid(), account_id, kind, name, shown, sha256(n::text::bytea), scopes,"
        " created_at FROM api_keys, generate_series(1, $1) AS n",
        MAX_KEYS - 1,
    )
    wanted = {"name": "x", "kind": "pk"}
    assert (await call("POST", KEYS, wanted, headers=member))[0] == 409
    _, listed = await call("GET", KEYS, headers=member)
    assert len(listed["keys"]) == MAX_KEYS
    await call("DELETE", f"{KEYS}/{listed['keys'][0]['id']}", headers=member)
    assert (await call("POST", KEYS, wanted, headers=member))[0] == 201


@pytest.mark.parametrize(
    ("credential", "status"), [(CredentialKind.KEY, 403), (CredentialKind.ANONYMOUS, 401)]
)
async def test_keys_are_the_business_of_signed_in_people(
    call: Call, passport_for: PassportFactory, credential: CredentialKind, status: int
) -> None:
    headers = passport_for(credential=credential)
    wanted = {"name": "x", "kind": "pk"}
    path = f"{KEYS}/{encode_id(Prefix.KEY, new_id())}"
    assert (await call("GET", KEYS, headers=headers))[0] == status
    assert (await call("POST", KEYS, wanted, headers=headers))[0] == status
    assert (await call("DELETE", path, headers=headers))[0] == status
