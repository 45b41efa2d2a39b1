"""Create, list and revoke API keys, and find out whom a key belongs to."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.errors import TooManyKeys
from darkroom.auth.domain.key import MAX_KEYS, APIKey, MintedKey, WantedKey, key_principal
from darkroom.auth.domain.pepper import Pepper, Purpose
from darkroom.auth.store.accounts import Accounts
from darkroom.auth.store.keys import APIKeys
from darkroom.contracts.accounts import KeyRevokedV1
from darkroom.contracts.claims import PlanLimits, Principal
from darkroom.contracts.ids import new_id
from darkroom.platform.auth import apikeys
from darkroom.platform.errors import Unauthenticated
from darkroom.platform.messaging.outbox import record


async def create_key(
    session: AsyncSession, wanted: WantedKey, *, owner: UUID, pepper: Pepper, now: datetime
) -> MintedKey:
    wanted.refuse_unacceptable(now=now)
    await Accounts(session).lock(owner)
    if await APIKeys(session).count_for_owner(owner) >= MAX_KEYS:
        raise TooManyKeys(account_id=owner)
    return await mint_key(session, wanted, owner=owner, pepper=pepper, now=now)


async def mint_key(
    session: AsyncSession, wanted: WantedKey, *, owner: UUID, pepper: Pepper, now: datetime
) -> MintedKey:
    """Store what a key can be found by and return the only copy of its text."""
    text = apikeys.mint(wanted.kind)
    key = APIKey(
        id=new_id(),
        account_id=owner,
        kind=wanted.kind,
        name=wanted.name,
        shown=text[: apikeys.SHOWN_CHARACTERS],
        scopes=wanted.scopes,
        created_at=now,
        expires_at=wanted.expires_at,
    )
    await APIKeys(session).add(key, digest=pepper.digest(Purpose.API_KEY, text))
    return MintedKey(key, text)


async def list_keys(session: AsyncSession, *, owner: UUID) -> list[APIKey]:
    return await APIKeys(session).list_for_owner(owner)


async def revoke_key(session: AsyncSession, key_id: UUID, *, owner: UUID, now: datetime) -> None:
    """Revoke a key and tell everybody who may have cached it; a second time changes nothing."""
    keys = APIKeys(session)
    key = await keys.get_for_owner(key_id, owner=owner)
    if key.revoked_at is not None:
        return
    await keys.revoke(key.id, owner=owner, now=now)
    await record(session, KeyRevokedV1(account_id=owner, key_id=key.id))


async def identify_key(
    session: AsyncSession,
    text: str,
    *,
    pepper: Pepper,
    plans: Mapping[str, PlanLimits],
    now: datetime,
) -> Principal:
    """Return whom a key stands for.

    Unknown, revoked, expired and of a suspended account: one refusal for all. What does not even
    look like a key is refused without a query.
    """
    if not apikeys.looks_valid(text):
        raise Unauthenticated(reason="not_a_key")
    found = await APIKeys(session).find_by_digest(pepper.digest(Purpose.API_KEY, text))
    if found is None:
        raise Unauthenticated(reason="unknown_key")
    key, account = found
    if not key.opens(now) or account.is_suspended:
        raise Unauthenticated(reason="closed_key", key_id=key.id)
    return key_principal(key, account, plans)
