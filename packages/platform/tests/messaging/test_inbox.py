import asyncio
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from darkroom.platform.db.session import SessionFactory, transaction
from darkroom.platform.messaging.inbox import first_time, prune


async def test_an_event_is_new_once_for_each_consumer(sessions: SessionFactory) -> None:
    event_id = uuid4()
    async with transaction(sessions) as session:
        assert await first_time(session, "catalog", event_id)
        assert not await first_time(session, "catalog", event_id)
        assert await first_time(session, "auth", event_id)


async def test_rolled_back_event_is_new_again(sessions: SessionFactory) -> None:
    event_id = uuid4()
    async with sessions() as session:
        assert await first_time(session, "catalog", event_id)
        await session.rollback()
    async with transaction(sessions) as session:
        assert await first_time(session, "catalog", event_id)


async def test_copies_handled_at_the_same_time_are_applied_once(sessions: SessionFactory) -> None:
    event_id = uuid4()

    async def apply() -> bool:
        async with transaction(sessions) as session:
            return await first_time(session, "catalog", event_id)

    assert sorted(await asyncio.gather(*(apply() for _ in range(5)))) == [False] * 4 + [True]


async def test_prune_forgets_only_what_is_old(sessions: SessionFactory) -> None:
    old, fresh = uuid4(), uuid4()
    async with transaction(sessions) as session:
        await first_time(session, "catalog", old)
        await session.execute(text("UPDATE inbox SET seen_at = now() - interval '9 days'"))
        await first_time(session, "catalog", fresh)
    async with transaction(sessions) as session:
        assert await prune(session, timedelta(days=8)) == 1
    async with transaction(sessions) as session:
        assert await first_time(session, "catalog", old)
        assert not await first_time(session, "catalog", fresh)
