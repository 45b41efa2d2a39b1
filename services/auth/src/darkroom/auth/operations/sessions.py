"""Open a session for an account: an access token to show, a refresh token to keep."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.account import Account, session_principal
from darkroom.auth.domain.pepper import Pepper, Purpose
from darkroom.auth.domain.session import REFRESH_LIFETIME, RefreshToken, SignedIn
from darkroom.auth.store.sessions import Sessions
from darkroom.contracts.claims import PlanLimits
from darkroom.contracts.ids import new_id
from darkroom.platform.auth.sessions import SESSION_TTL_SECONDS, SessionSigner

# 256 bits: the digest that is stored cannot be tried out, so it needs no slow hash.
_REFRESH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SessionIssuer:
    signer: SessionSigner
    pepper: Pepper
    plans: Mapping[str, PlanLimits]

    async def open(self, session: AsyncSession, account: Account, *, now: datetime) -> SignedIn:
        """Start a family of refresh tokens; only the digest of its first token is stored."""
        sessions, session_id = Sessions(session), new_id()
        refresh_token = secrets.token_urlsafe(_REFRESH_BYTES)
        await sessions.add(session_id, account_id=account.id, now=now)
        await sessions.add_token(
            RefreshToken(
                id=new_id(),
                session_id=session_id,
                digest=self.pepper.digest(Purpose.REFRESH_TOKEN, refresh_token),
                created_at=now,
                expires_at=now + REFRESH_LIFETIME,
            )
        )
        return SignedIn(
            account=account,
            access_token=self._access_token(account, session_id, now),
            refresh_token=refresh_token,
            expires_in_seconds=SESSION_TTL_SECONDS,
        )

    def _access_token(self, account: Account, session_id: UUID, now: datetime) -> str:
        principal = session_principal(account, self.plans)
        seconds = int(now.timestamp())
        return self.signer.sign(
            principal, account_id=account.id, session_id=session_id, now=seconds
        )
