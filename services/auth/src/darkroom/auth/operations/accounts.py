"""Sign up and sign in. Passwords are hashed outside of transactions: a hash takes its time."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from darkroom.auth.domain.account import Account, email_problem, first_role
from darkroom.auth.domain.errors import AccountSuspended, FieldsRefused, WrongSignIn
from darkroom.auth.domain.key import KeyKind, WantedKey
from darkroom.auth.domain.session import SignedIn
from darkroom.auth.domain.sign_up import SignUp
from darkroom.auth.engines.passwords import PasswordHasher
from darkroom.auth.operations.keys import mint_key
from darkroom.auth.operations.sessions import SessionIssuer
from darkroom.auth.store.accounts import Accounts
from darkroom.contracts.claims import ALL_SCOPES, Role
from darkroom.contracts.ids import new_id
from darkroom.contracts.problems import FieldError
from darkroom.platform.db.session import SessionFactory, transaction


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a sign-up gives: a session, and a key to try things out with."""

    signed_in: SignedIn
    test_key: str = field(repr=False)


async def sign_up(
    session: AsyncSession,
    wanted: SignUp,
    *,
    hasher: PasswordHasher,
    issuer: SessionIssuer,
    admin_email: str | None,
    now: datetime,
) -> Welcome:
    wanted.refuse_unacceptable()
    # The session takes a connection at its first statement, so none waits for the hash.
    password_hash = await hasher.hash(wanted.password)
    is_first = await Accounts(session).is_empty()
    role = first_role(wanted.email, is_first=is_first, admin_email=admin_email)
    account = await add_account(session, wanted, password_hash=password_hash, role=role, now=now)
    trial = WantedKey(name="Test key", kind=KeyKind.TEST, scopes=ALL_SCOPES)
    minted = await mint_key(session, trial, owner=account.id, pepper=issuer.pepper, now=now)
    return Welcome(await issuer.open(session, account, now=now), minted.text)


async def add_account(
    session: AsyncSession, wanted: SignUp, *, password_hash: str, role: Role, now: datetime
) -> Account:
    account = Account(
        id=new_id(),
        email=wanted.email,
        username=wanted.username,
        password_hash=password_hash,
        age_confirmed=wanted.age_confirmed,
        role=role,
        plan=wanted.plan,
        created_at=now,
        first_name=wanted.first_name,
        last_name=wanted.last_name,
    )
    await Accounts(session).add(account)
    return account


async def sign_in(
    sessions: SessionFactory,
    *,
    email: str,
    password: str,
    hasher: PasswordHasher,
    issuer: SessionIssuer,
    now: datetime,
) -> SignedIn:
    """Answer an unknown address as a wrong password: with the same work and the same words.

    Two transactions, because a pooled connection must not be held while passwords are hashed.
    """
    problem = email_problem(email)
    if problem is not None:
        raise FieldsRefused((FieldError(field="email", message=problem),))
    async with transaction(sessions) as session:
        account = await Accounts(session).find_by_email(email)
    is_right = await hasher.matches(account.password_hash if account else None, password)
    if account is None or not is_right:
        raise WrongSignIn
    if account.is_suspended:
        raise AccountSuspended
    renewed = await _renewed_hash(account, password, hasher)
    async with transaction(sessions) as session:
        if renewed is not None:
            await Accounts(session).set_password_hash(account.id, renewed)
        return await issuer.open(session, account, now=now)


async def _renewed_hash(account: Account, password: str, hasher: PasswordHasher) -> str | None:
    if hasher.is_outdated(account.password_hash):
        return await hasher.hash(password)
    return None
