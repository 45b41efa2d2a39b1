from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from fastapi import FastAPI
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.platform.db.session import Session, SessionFactory, transaction
from darkroom.platform.errors import Conflict, Unavailable
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service
from darkroom.testing.fixtures.web import AppServer


@pytest.fixture
def app(sessions: SessionFactory, notes: Table) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.sessions = sessions
        yield

    service = build_service("sample", readiness=Readiness(), lifespan=lifespan)

    @service.put("/notes/{number}/{words}", status_code=201)
    async def write(number: int, words: str, session: Session) -> dict[str, int]:
        await session.execute(insert(notes).values(id=number, text=words))
        return {"number": number}

    @service.put("/refused")
    async def refuse(session: Session) -> None:
        await session.execute(insert(notes).values(id=9, text="refused"))
        raise Conflict

    @service.get("/slow")
    async def slow(session: Session) -> None:
        await session.execute(text("SELECT pg_sleep(2)"))

    return service


async def test_what_a_client_was_told_is_committed(
    app: FastAPI,
    serve_app: AppServer,
    http: aiohttp.ClientSession,
    engine: AsyncEngine,
    notes: Table,
) -> None:
    base = await serve_app(app)
    for number in range(20):
        async with http.put(f"{base}/notes/{number}/words-{number}") as reply:
            assert reply.status == 201
            async with engine.connect() as connection:
                found = await connection.scalar(select(notes.c.text).where(notes.c.id == number))
        assert found == f"words-{number}"


async def test_failing_commit_is_an_error_reply_and_not_a_lie(
    app: FastAPI, serve_app: AppServer, http: aiohttp.ClientSession
) -> None:
    base = await serve_app(app)
    async with http.put(f"{base}/notes/1/same") as reply:
        assert reply.status == 201
    async with http.put(f"{base}/notes/2/same") as reply:
        assert reply.status == 500
    async with http.put(f"{base}/notes/3/other") as reply:
        assert reply.status == 201


async def test_refused_request_stores_nothing(
    app: FastAPI,
    serve_app: AppServer,
    http: aiohttp.ClientSession,
    engine: AsyncEngine,
    notes: Table,
) -> None:
    base = await serve_app(app)
    async with http.put(f"{base}/refused") as reply:
        assert reply.status == 409
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(notes)) == 0


async def test_slow_database_is_answered_503(
    app: FastAPI, serve_app: AppServer, http: aiohttp.ClientSession
) -> None:
    base = await serve_app(app)
    async with http.get(f"{base}/slow") as reply:
        assert reply.status == 503
        assert "Retry-After" in reply.headers


async def test_error_inside_a_transaction_rolls_it_back(
    sessions: SessionFactory, engine: AsyncEngine, notes: Table
) -> None:
    async def write() -> None:
        async with transaction(sessions) as session:
            await session.execute(insert(notes).values(id=1, text="a"))
            raise Conflict

    with pytest.raises(Conflict):
        await write()
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(notes)) == 0


async def test_connection_lost_before_commit_is_unavailable(
    sessions: SessionFactory, engine: AsyncEngine, notes: Table
) -> None:
    async def write() -> None:
        async with transaction(sessions) as session:
            await session.execute(insert(notes).values(id=1, text="a"))
            pid = await session.scalar(text("SELECT pg_backend_pid()"))
            async with engine.connect() as other:
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    with pytest.raises(Unavailable):
        await write()
    async with transaction(sessions) as session:
        assert await session.scalar(select(func.count()).select_from(notes)) == 0


async def test_our_own_os_error_is_not_taken_for_the_database(sessions: SessionFactory) -> None:
    async def write() -> None:
        async with transaction(sessions) as session:
            await session.execute(text("SELECT 1"))
            raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        await write()
