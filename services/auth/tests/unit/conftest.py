from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.auth.domain.account import Account
from darkroom.auth.domain.key import APIKey, KeyKind
from darkroom.contracts.claims import ALL_SCOPES, Role
from darkroom.contracts.ids import new_id

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def make_account() -> Callable[..., Account]:
    def make(**changes: Any) -> Account:
        fields: dict[str, Any] = {
            "id": new_id(),
            "email": "a@example.com",
            "username": "a",
            "password_hash": "",
            "age_confirmed": True,
            "role": Role.USER,
            "plan": "free",
            "created_at": NOW,
        }
        return Account(**fields | changes)

    return make


@pytest.fixture
def make_key() -> Callable[..., APIKey]:
    def make(**changes: Any) -> APIKey:
        fields: dict[str, Any] = {
            "id": new_id(),
            "account_id": new_id(),
            "kind": KeyKind.PK,
            "name": "Camera",
            "shown": "pk_abc",
            "scopes": ALL_SCOPES,
            "created_at": NOW,
        }
        return APIKey(**fields | changes)

    return make
