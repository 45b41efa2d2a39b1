from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from darkroom.contracts.ids import Prefix, decode_id, encode_id
from darkroom.contracts.surfaces import Stage
from darkroom.platform.auth import apikeys

Call = Callable[..., Awaitable[tuple[int, Any]]]
Person = Callable[..., dict[str, Any]]
SQL = Callable[..., Awaitable[list[Any]]]
SessionOf = Callable[[dict[str, Any]], dict[str, str]]
KEYS = "/api/v1/keys"
SIGN_UP = "/api/v1/auth/signup"


@pytest.mark.parametrize(
    ("kind", "stage"), [("pk", Stage.LIVE), ("live", Stage.LIVE), ("test", Stage.TEST)]
)
async def test_each_kind_of_key_opens_its_stage_with_all_scopes_by_default(
    call: Call, member: dict[str, str], check_key: Call, kind: str, stage: Stage
) -> None:
    _, created = await call("POST", KEYS, {"name": "x", "kind": kind}, headers=member)
    assert created["key"].startswith(f"{kind}_")
    status, holder = await check_key(created["key"])
    principal = holder["principal"]
    assert status == 200
    assert principal["credential"] == "key"
    assert principal["stage"] == stage
    assert sorted(principal["scopes"]) == ["delete", "read", "upload", "webhooks", "write"]
    assert encode_id(Prefix.KEY, UUID(principal["key_id"])) == created["id"]
    assert principal["limits"]["plan"] == "free"


async def test_key_01_the_database_holds_nothing_a_secret_could_be_had_back_from(
    call: Call, member: dict[str, str], person: Person, sql: SQL, dump: Callable[[], Awaitable[str]]
) -> None:
    wanted = person()
    _, signed_up = await call("POST", SIGN_UP, wanted)
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    await call("DELETE", f"{KEYS}/{created['id']}", headers=member)
    content = await dump()
    assert wanted["email"] in content
    secrets = [
        created["key"],
        signed_up["test_key"],
        signed_up["refresh_token"],
        wanted["password"],
    ]
    for secret in secrets:
        assert secret not in content
        assert secret[6:] not in content
        assert secret.encode().hex() not in content
    for row in await sql("SELECT digest, shown FROM api_keys"):
        assert len(row["digest"]) == 32
        assert len(row["shown"]) == 6


async def test_key_02_a_wrong_checksum_is_refused_without_a_query(
    app: FastAPI, call: Call, member: dict[str, str], check_key: Call
) -> None:
    _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=member)
    statements: list[str] = []
    engine = app.state.resources.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    key = created["key"]
    mistyped = key[:-1] + ("2" if key[-1] != "2" else "3")
    assert (await check_key(mistyped))[0] == 401
    assert statements == []
    assert (await check_key(key))[0] == 200
    assert statements != []


async def test_key_03_unknown_revoked_expired_and_suspended_keys_get_one_answer(
    call: Call, person: Person, session_of: SessionOf, check_key: Call, sql: SQL
) -> None:
    texts = [apikeys.mint("pk")]
    fates = (
        "UPDATE api_keys SET revoked_at = now() WHERE account_id = $1",
        "UPDATE api_keys SET expires_at = now() WHERE account_id = $1",
        "UPDATE accounts SET suspended_at = now() WHERE id = $1",
    )
    for fate in fates:
        _, signed_up = await call("POST", SIGN_UP, person())
        headers = session_of(signed_up)
        _, created = await call("POST", KEYS, {"name": "x", "kind": "pk"}, headers=headers)
        texts.append(created["key"])
        await sql(fate, decode_id(signed_up["user"]["id"], Prefix.ACCOUNT))
    replies = [await check_key(text) for text in texts]
    for status, body in replies:
        assert status == 401
        assert body.pop("request_id")
        assert body["code"] == "credentials_invalid"
    assert all(reply == replies[0] for reply in replies)


@pytest.mark.parametrize("key", ["", "pk_", "x" * 500_000, "nul\x00", "pk_" + "é" * 32, "' or 1=1"])
async def test_a_text_that_is_no_key_is_refused_like_a_wrong_one(check_key: Call, key: str) -> None:
    status, body = await check_key(key)
    assert (status, body["code"]) == (401, "credentials_invalid")


async def test_key_08_a_key_ends_with_its_time(
    call: Call, member: dict[str, str], check_key: Call, sql: SQL
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    wanted = {"name": "x", "kind": "live", "expiresAt": tomorrow}
    _, created = await call("POST", KEYS, wanted, headers=member)
    assert datetime.fromisoformat(created["expiresAt"]) == datetime.fromisoformat(tomorrow)
    assert (await check_key(created["key"]))[0] == 200
    await sql("UPDATE api_keys SET expires_at = now() WHERE expires_at IS NOT NULL")
    assert (await check_key(created["key"]))[0] == 401


async def test_key_12_two_keys_are_used_and_revoked_apart(
    app: FastAPI, call: Call, member: dict[str, str], check_key: Call
) -> None:
    made = [
        (await call("POST", KEYS, {"name": name, "kind": "pk"}, headers=member))[1]
        for name in ("old", "new")
    ]
    assert (await check_key(made[0]["key"]))[0] == 200
    resources = app.state.resources
    await resources.last_used.write(resources.sessions, now=datetime.now(UTC))
    _, listed = await call("GET", KEYS, headers=member)
    used = {key["name"]: key["lastUsedAt"] for key in listed["keys"]}
    assert used["old"] is not None
    assert used["new"] is None
    await call("DELETE", f"{KEYS}/{made[0]['id']}", headers=member)
    assert [(await check_key(key["key"]))[0] for key in made] == [401, 200]
