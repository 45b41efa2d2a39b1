"""API keys by digest and by owner."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.account import Account
from darkroom.auth.domain.errors import KeyUnknown
from darkroom.auth.domain.key import LAST_USED_EVERY, APIKey, KeyKind
from darkroom.auth.store.accounts import account_of
from darkroom.auth.store.tables import accounts, api_keys
from darkroom.contracts.claims import Scope


class APIKeys:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: APIKey, *, digest: bytes) -> None:
        row = {
            "id": key.id,
            "account_id": key.account_id,
            "kind": key.kind,
            "name": key.name,
            "shown": key.shown,
            "digest": digest,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        await self._session.execute(insert(api_keys).values(row))

    async def find_by_digest(self, digest: bytes) -> tuple[APIKey, Account] | None:
        keys = select(api_keys).where(api_keys.c.digest == digest)
        found = (await self._session.execute(keys)).one_or_none()
        if found is None:
            return None
        owners = select(accounts).where(accounts.c.id == found.account_id)
        return _key_of(found), account_of((await self._session.execute(owners)).one())

    async def list_for_owner(self, owner: UUID) -> list[APIKey]:
        query = (
            select(api_keys)
            .where(api_keys.c.account_id == owner, api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.id.desc())
        )
        return [_key_of(row) for row in await self._session.execute(query)]

    async def count_for_owner(self, owner: UUID) -> int:
        query = (
            select(func.count())
            .select_from(api_keys)
            .where(api_keys.c.account_id == owner, api_keys.c.revoked_at.is_(None))
        )
        return int(await self._session.scalar(query) or 0)

    async def get_for_owner(self, key_id: UUID, *, owner: UUID) -> APIKey:
        """Return a key, locked until the commit; raises KeyUnknown, for foreign ones too."""
        query = (
            select(api_keys)
            .where(api_keys.c.id == key_id, api_keys.c.account_id == owner)
            .with_for_update()
        )
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            raise KeyUnknown
        return _key_of(row)

    async def revoke(self, key_id: UUID, *, owner: UUID, now: datetime) -> None:
        change = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.account_id == owner)
        await self._session.execute(change.values(revoked_at=now))

    async def note_used(self, used: Mapping[UUID, datetime]) -> None:
        """Write when keys were last used; in their order, so that writers never wait in a ring."""
        for key_id, used_at in sorted(used.items()):
            is_due = or_(
                api_keys.c.last_used_at.is_(None),
                api_keys.c.last_used_at <= used_at - LAST_USED_EVERY,
            )
            change = update(api_keys).where(api_keys.c.id == key_id, is_due)
            await self._session.execute(change.values(last_used_at=used_at))


def _key_of(row: Row[tuple[object, ...]]) -> APIKey:
    return APIKey(
        id=row.id,
        account_id=row.account_id,
        kind=KeyKind(row.kind),
        name=row.name,
        shown=row.shown,
        scopes=frozenset(map(Scope, row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
