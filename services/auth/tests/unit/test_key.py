from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from darkroom.auth.domain.account import Account
from darkroom.auth.domain.errors import FieldsRefused
from darkroom.auth.domain.key import (
    LAST_USED_EVERY,
    MAX_LIFETIME,
    APIKey,
    KeyKind,
    WantedKey,
    key_principal,
)
from darkroom.auth.domain.pepper import Pepper, Purpose
from darkroom.auth.operations.last_used import LastUsed
from darkroom.contracts.claims import ALL_SCOPES, DEFAULT_PLANS, CredentialKind, Scope
from darkroom.contracts.surfaces import Stage
from darkroom.platform.auth import apikeys

MakeKey = Callable[..., APIKey]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_the_kinds_of_keys_are_those_the_format_knows() -> None:
    assert set(KeyKind) == set(apikeys.KINDS)


@pytest.mark.parametrize(
    ("changes", "opens"),
    [
        ({}, True),
        ({"expires_at": NOW + SECOND}, True),
        ({"expires_at": NOW}, False),
        ({"revoked_at": NOW - SECOND}, False),
        ({"expires_at": NOW + SECOND, "revoked_at": NOW}, False),
    ],
)
def test_key_08_a_key_opens_until_its_end_or_its_revocation(
    make_key: MakeKey, changes: dict[str, datetime], *, opens: bool
) -> None:
    assert make_key(**changes).opens(NOW) is opens


def test_a_key_stands_for_its_account_with_its_own_scopes(
    make_key: MakeKey, make_account: Callable[..., Account]
) -> None:
    account = make_account(plan="pro")
    key = make_key(kind=KeyKind.TEST, scopes=frozenset({Scope.READ}))
    principal = key_principal(key, account, DEFAULT_PLANS)
    assert principal.credential is CredentialKind.KEY
    assert (principal.key_id, principal.account_id) == (key.id, account.id)
    assert (principal.scopes, principal.stage) == (frozenset({Scope.READ}), Stage.TEST)
    assert principal.limits == DEFAULT_PLANS["pro"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u202e"}, "name"),
        ({"scopes": frozenset()}, "scopes"),
        ({"expires_at": NOW}, "expiresAt"),
        ({"expires_at": NOW + MAX_LIFETIME + SECOND}, "expiresAt"),
    ],
)
def test_a_wish_for_a_key_names_its_bad_field(changes: dict[str, object], field: str) -> None:
    fields = {"name": "x", "kind": KeyKind.PK, "scopes": ALL_SCOPES} | changes
    with pytest.raises(FieldsRefused) as caught:
        WantedKey(**fields).refuse_unacceptable(now=NOW)  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == [field]


def test_digests_differ_by_pepper_and_by_purpose_and_show_nothing() -> None:
    pepper, other = Pepper(b"one" * 11), Pepper(b"two" * 11)
    digest = pepper.digest(Purpose.API_KEY, "text")
    assert digest == pepper.digest(Purpose.API_KEY, "text")
    assert len({digest, other.digest(Purpose.API_KEY, "text")}) == 2
    assert len({digest, pepper.digest(Purpose.REFRESH_TOKEN, "text")}) == 2
    assert "oneone" not in repr(pepper)


def test_a_key_in_constant_use_is_noted_once_a_minute() -> None:
    last_used, key_id = LastUsed(), UUID(int=1)
    last_used.note(key_id, now=NOW)
    last_used.note(key_id, now=NOW + LAST_USED_EVERY - SECOND)
    assert last_used._unwritten == {key_id: NOW}
    last_used.note(key_id, now=NOW + LAST_USED_EVERY)
    assert last_used._unwritten == {key_id: NOW + LAST_USED_EVERY}
