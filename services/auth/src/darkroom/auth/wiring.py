"""What auth is made of, and how a request gets at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from darkroom.auth.domain.pepper import Pepper
from darkroom.auth.engines.passwords import PasswordHasher
from darkroom.auth.operations.last_used import LastUsed
from darkroom.auth.operations.sessions import SessionIssuer
from darkroom.auth.settings import AuthSettings
from darkroom.contracts.claims import DEFAULT_PLANS, CredentialKind, Passport
from darkroom.platform.auth.guards import CurrentPassport, SessionPassport
from darkroom.platform.auth.keyfiles import load_or_create_secret
from darkroom.platform.auth.keys import (
    SigningKey,
    load_or_create_signing_key,
    open_remote_key_set,
)
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.auth.sessions import SessionSigner
from darkroom.platform.db.engine import open_engine
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class Resources:
    engine: AsyncEngine
    sessions: SessionFactory
    passports: PassportVerifier
    hasher: PasswordHasher
    session_key: SigningKey
    issuer: SessionIssuer
    last_used: LastUsed
    admin_email: str | None

    async def check_database(self) -> None:
        async with transaction(self.sessions) as session:
            await session.execute(text("SELECT 1"))


@asynccontextmanager
async def open_resources(settings: AuthSettings) -> AsyncIterator[Resources]:
    session_key = load_or_create_signing_key(settings.session_key_file)
    pepper = Pepper(load_or_create_secret(settings.pepper_file))
    hasher = PasswordHasher()
    try:
        async with (
            open_engine(settings.postgres, name="auth") as engine,
            open_remote_key_set(settings.passport.keys_url) as passport_keys,
        ):
            yield Resources(
                engine=engine,
                sessions=session_factory(engine),
                passports=PassportVerifier(passport_keys),
                hasher=hasher,
                session_key=session_key,
                issuer=SessionIssuer(SessionSigner(session_key), pepper, DEFAULT_PLANS),
                last_used=LastUsed(),
                admin_email=settings.admin_email,
            )
    finally:
        hasher.close()


def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


def _now() -> datetime:
    return datetime.now(UTC)


async def _without_key(passport: CurrentPassport) -> Passport:
    if passport.principal.credential is CredentialKind.KEY:
        raise Forbidden("Signing up and signing in are not done with an API key.")
    return passport


def _owner(passport: SessionPassport) -> UUID:
    account_id = passport.principal.account_id
    if account_id is None:
        raise Unauthenticated
    return account_id


Wired = Annotated[Resources, Depends(_resources)]
Now = Annotated[datetime, Depends(_now)]
PersonPassport = Annotated[Passport, Depends(_without_key)]
Owner = Annotated[UUID, Depends(_owner)]
