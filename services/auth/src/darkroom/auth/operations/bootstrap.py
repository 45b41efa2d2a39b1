"""Make the first accounts of an installation, or find them, and give the demo account its keys."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.account import Account
from darkroom.auth.domain.errors import UsernameTaken
from darkroom.auth.domain.key import KeyKind, WantedKey
from darkroom.auth.domain.pepper import Pepper, Purpose
from darkroom.auth.domain.sign_up import SignUp
from darkroom.auth.engines.passwords import PasswordHasher
from darkroom.auth.operations.accounts import add_account
from darkroom.auth.operations.keys import mint_key
from darkroom.auth.store.accounts import Accounts
from darkroom.auth.store.keys import APIKeys
from darkroom.contracts.claims import ALL_SCOPES, Role


async def ensure_account(
    session: AsyncSession, wanted: SignUp, *, role: Role, hasher: PasswordHasher, now: datetime
) -> Account:
    """Return the account of that address with that role and plan; a password once set stays."""
    accounts = Accounts(session)
    known = await accounts.find_by_email(wanted.email)
    if known is not None:
        await accounts.set_standing(known.id, role=role, plan=wanted.plan)
        return replace(known, role=role, plan=wanted.plan)
    wanted.refuse_unacceptable()
    password_hash = await hasher.hash(wanted.password)
    try:
        return await add_account(session, wanted, password_hash=password_hash, role=role, now=now)
    except UsernameTaken:
        other = replace(wanted, username=f"{wanted.username}-{secrets.token_hex(3)}")
        return await add_account(session, other, password_hash=password_hash, role=role, now=now)


async def ensure_keys(
    session: AsyncSession,
    known: Mapping[KeyKind, str],
    *,
    owner: UUID,
    pepper: Pepper,
    now: datetime,
) -> dict[KeyKind, str]:
    """Keep the keys of an earlier run that still open something; mint the others."""
    texts: dict[KeyKind, str] = {}
    for kind in KeyKind:
        text = known.get(kind)
        if text is None or not await _is_good(session, text, owner=owner, pepper=pepper, now=now):
            wanted = WantedKey(name=f"Demo ({kind})", kind=kind, scopes=ALL_SCOPES)
            minted = await mint_key(session, wanted, owner=owner, pepper=pepper, now=now)
            text = minted.text
        texts[kind] = text
    return texts


async def _is_good(
    session: AsyncSession, text: str, *, owner: UUID, pepper: Pepper, now: datetime
) -> bool:
    found = await APIKeys(session).find_by_digest(pepper.digest(Purpose.API_KEY, text))
    return found is not None and found[0].account_id == owner and found[0].opens(now)
