"""The edges of a transaction: the only places that commit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection

from darkroom.platform.db.outages import outages_as_unavailable

SessionFactory = async_sessionmaker[AsyncSession]


def session_factory(engine: AsyncEngine) -> SessionFactory:
    """Make sessions of an engine; objects stay readable after the commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """Run one transaction: commit at the end, roll back on any error.

    Raises Unavailable when the database is away. If that happens during the commit, nobody knows
    whether it took place: what runs inside must be safe to repeat.
    """
    with outages_as_unavailable():
        async with sessions() as session, session.begin():
            yield session


async def request_session(connection: HTTPConnection) -> AsyncIterator[AsyncSession]:
    """Give a request its transaction, from the factory in `app.state.sessions`."""
    async with transaction(connection.app.state.sessions) as session:
        yield session


# Function scope ends the dependency before the reply is sent: what a client was told is committed,
# and a failing commit is an error reply rather than a lie.
Session = Annotated[AsyncSession, Depends(request_session, scope="function")]
