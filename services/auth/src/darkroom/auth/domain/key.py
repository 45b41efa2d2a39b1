"""An API key: what it may do, in which stage, and when it no longer opens anything."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from darkroom.auth.domain.account import Account, limits_of
from darkroom.auth.domain.errors import FieldsRefused
from darkroom.contracts.claims import CredentialKind, PlanLimits, Principal, Scope
from darkroom.contracts.problems import FieldError
from darkroom.contracts.surfaces import Stage

MAX_NAME: Final = 100
# Enough for a key per program and machine; a list of them stays one page.
MAX_KEYS: Final = 100
# Who wants a key for longer wants one without an end; it also keeps dates inside what is storable.
MAX_LIFETIME: Final = timedelta(days=3_650)
# The gateway asks about a key in use every 30 s; a minute is as exact as people look at it.
LAST_USED_EVERY: Final = timedelta(minutes=1)


class KeyKind(StrEnum):
    PK = "pk"
    LIVE = "live"
    TEST = "test"

    @property
    def stage(self) -> Stage:
        return Stage.TEST if self is KeyKind.TEST else Stage.LIVE


@dataclass(frozen=True, slots=True)
class APIKey:
    id: UUID
    account_id: UUID
    kind: KeyKind
    name: str
    shown: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens(self, now: datetime) -> bool:
        is_over = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not is_over


def key_principal(key: APIKey, account: Account, plans: Mapping[str, PlanLimits]) -> Principal:
    return Principal(
        credential=CredentialKind.KEY,
        account_id=account.id,
        key_id=key.id,
        role=account.role,
        scopes=key.scopes,
        stage=key.kind.stage,
        limits=limits_of(account, plans),
    )


@dataclass(frozen=True, slots=True)
class WantedKey:
    """What an account asks for when it makes a key."""

    name: str
    kind: KeyKind
    scopes: frozenset[Scope]
    expires_at: datetime | None = None

    def refuse_unacceptable(self, *, now: datetime) -> None:
        """Raise FieldsRefused naming every bad field at once."""
        problems = {
            "name": _name_problem(self.name),
            "scopes": None if self.scopes else "Name at least one scope, or leave it out for all.",
            "expiresAt": _expiry_problem(self.expires_at, now=now),
        }
        errors = tuple(
            FieldError(field=name, message=problem) for name, problem in problems.items() if problem
        )
        if errors:
            raise FieldsRefused(errors)


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A key with its text, which exists this once."""

    key: APIKey
    text: str = field(repr=False)


def _name_problem(name: str) -> str | None:
    is_visible = name.strip() and not any(unicodedata.category(c)[0] == "C" for c in name)
    if len(name) > MAX_NAME or not is_visible:
        return f"Use 1 to {MAX_NAME} visible characters."
    return None


def _expiry_problem(expires_at: datetime | None, *, now: datetime) -> str | None:
    if expires_at is None or now < expires_at <= now + MAX_LIFETIME:
        return None
    return f"Give a moment within the next {MAX_LIFETIME.days} days, or null for no end."
