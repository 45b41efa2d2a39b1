"""Accounts by address, by name and by id."""

from typing import Final
from uuid import UUID

from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.account import Account, canonical
from darkroom.auth.domain.errors import EmailTaken, UsernameTaken
from darkroom.auth.store.tables import accounts
from darkroom.contracts.claims import Role
from darkroom.platform.errors import Conflict

# Any constant does, as long as nothing else in this database takes it: "first" in ASCII.
_FIRST_ACCOUNT_LOCK: Final = int.from_bytes(b"first")


class Accounts:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_by_email(self, email: str) -> Account | None:
        query = select(accounts).where(accounts.c.email_key == canonical(email))
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else account_of(row)

    async def add(self, account: Account) -> None:
        """Store an account; raises EmailTaken or UsernameTaken, for the later of two at once."""
        row = {
            **{name: getattr(account, name) for name in _FIELDS},
            "email_key": canonical(account.email),
            "username_key": canonical(account.username),
        }
        added = insert(accounts).values(row).on_conflict_do_nothing().returning(accounts.c.id)
        if await self._session.scalar(added) is None:
            raise await self._reason_taken(account.email)

    async def _reason_taken(self, email: str) -> Conflict:
        is_email_taken = select(exists().where(accounts.c.email_key == canonical(email)))
        return EmailTaken() if await self._session.scalar(is_email_taken) else UsernameTaken()

    async def is_empty(self) -> bool:
        """Tell whether nobody has signed up; whoever is told so is alone until the commit."""
        query = select(~exists(select(accounts.c.id)))
        if not await self._session.scalar(query):
            return False
        await self._session.execute(select(func.pg_advisory_xact_lock(_FIRST_ACCOUNT_LOCK)))
        return bool(await self._session.scalar(query))

    async def lock(self, account_id: UUID) -> None:
        """Make others wait who change what belongs to the account."""
        query = select(accounts.c.id).where(accounts.c.id == account_id).with_for_update()
        await self._session.execute(query)

    async def set_password_hash(self, account_id: UUID, password_hash: str) -> None:
        change = update(accounts).where(accounts.c.id == account_id)
        await self._session.execute(change.values(password_hash=password_hash))

    async def set_standing(self, account_id: UUID, *, role: Role, plan: str) -> None:
        change = update(accounts).where(accounts.c.id == account_id)
        await self._session.execute(change.values(role=role, plan=plan))


_FIELDS: Final = (
    "id",
    "email",
    "username",
    "password_hash",
    "first_name",
    "last_name",
    "age_confirmed",
    "role",
    "plan",
    "created_at",
    "suspended_at",
)


def account_of(row: Row[tuple[object, ...]]) -> Account:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return Account(**fields | {"role": Role(row.role)})
