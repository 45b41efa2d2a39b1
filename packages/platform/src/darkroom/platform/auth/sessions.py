"""Session access tokens: signed by auth at sign-in, verified by the gateway."""

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from darkroom.contracts.claims import Principal
from darkroom.contracts.ids import new_id
from darkroom.platform.auth.keys import KeySet, SigningKey
from darkroom.platform.auth.tokens import SESSION_PROFILE, TokenVerifier, sign_token

# What the pichr surface documents as `expires_in`.
SESSION_TTL_SECONDS: Final = 3600


class SessionClaims(BaseModel):
    """Hold what an access token says: who, in which session, until when (Unix seconds)."""

    model_config = ConfigDict(frozen=True)

    sub: UUID
    sid: UUID
    jti: UUID
    principal: Principal
    iat: int
    exp: int


class SessionSigner:
    """Sign access tokens with one key."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def sign(self, principal: Principal, *, account_id: UUID, session_id: UUID, now: int) -> str:
        """Return an access token for one session, good for its lifetime from `now`."""
        claims = SessionClaims(
            sub=account_id,
            sid=session_id,
            jti=new_id(),
            principal=principal,
            iat=now,
            exp=now + SESSION_TTL_SECONDS,
        )
        return sign_token(self._key, SESSION_PROFILE, claims.model_dump(mode="json"))


class SessionVerifier:
    """Verify access tokens against auth's keys; a repeated one costs a look-up."""

    def __init__(self, keys: KeySet, *, clock: Callable[[], float] = time.time) -> None:
        self._tokens = TokenVerifier(keys, SESSION_PROFILE, SessionClaims, clock=clock)

    async def verify(self, token: str, *, leeway_seconds: int = 0) -> SessionClaims:
        """Return what the token says; raises Unauthenticated when it is not a good one."""
        return await self._tokens.verify(token, leeway_seconds=leeway_seconds)
