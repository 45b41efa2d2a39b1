"""Sessions and the families of their refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.session import RefreshToken
from darkroom.auth.store.tables import refresh_tokens, sessions


class Sessions:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session_id: UUID, *, account_id: UUID, now: datetime) -> None:
        row = {"id": session_id, "account_id": account_id, "created_at": now}
        await self._session.execute(insert(sessions).values(row))

    async def add_token(self, token: RefreshToken) -> None:
        row = {
            "id": token.id,
            "session_id": token.session_id,
            "parent_id": token.parent_id,
            "digest": token.digest,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
        }
        await self._session.execute(insert(refresh_tokens).values(row))
