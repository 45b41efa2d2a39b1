"""A session: one sign-in. Its refresh tokens form a family; only the newest may be used."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from darkroom.auth.domain.account import Account

# What the HTTP contract gives a pichr session between two sign-ins.
REFRESH_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One stored token of a session's family; `parent_id` is the one it replaced."""

    id: UUID
    session_id: UUID
    digest: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a caller gets for a sign-in; the tokens are shown this once."""

    account: Account
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int
