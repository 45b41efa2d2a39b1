"""The outbox: an event is a row of the transaction that made it true; a relay publishes it.

A row that exists is to be published; it is claimed by a lock on the row, so a relay that dies
gives its claim back by itself, and deleted once the broker has stored the event. A relay that dies
in between makes a second copy, which the broker drops by its id.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    LargeBinary,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from darkroom.contracts.event import Event
from darkroom.platform.db.outages import (
    CONNECT_FAILURES,
    outages_as_unavailable,
    unavailable,
)
from darkroom.platform.db.session import SessionFactory, session_factory, transaction
from darkroom.platform.db.tables import recorded_at
from darkroom.platform.errors import Broken, Unavailable
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.propagation import inject

_CHANNEL: Final = "outbox"
# One round trip to the database for a hundred publishes, which go out together.
_BATCH: Final = 100
# The fall-back when a wake-up was lost; also how soon a second relay takes over.
_POLL_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 0.1
# With either store away a relay asks again at least every two seconds: recovery is that quick.
_LONGEST_PAUSE_SECONDS: Final = 2.0

log = get_logger()


def outbox_table(metadata: MetaData) -> Table:
    """Add the outbox to a service's tables; `refused` says why a row cannot be published."""
    return Table(
        "outbox",
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("subject", Text, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("refused", Text, nullable=True),
        recorded_at("recorded_at"),
    )


_OUTBOX: Final = outbox_table(MetaData())


async def record(session: AsyncSession, event: Event) -> None:
    """Write an event in the session's transaction; relays are woken when it commits.

    The current trace and request id are kept with it.
    """
    headers: dict[str, str] = {}
    inject(headers)
    await session.execute(
        insert(_OUTBOX)
        .values(
            event_id=event.event_id,
            subject=event.route,
            payload=event.encode(),
            headers=headers,
        )
        .returning(func.pg_notify(_CHANNEL, ""))
    )


class Relay:
    """Publish what the outbox holds; any number may run, each row is published by one of them."""

    def __init__(self, engine: AsyncEngine, bus: JetStream) -> None:
        self._engine = engine
        self._sessions: SessionFactory = session_factory(engine)
        self._bus = bus
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until told to stop; outages of either store are waited out."""
        self._bus.on_reconnect(self._woken)
        ears = asyncio.create_task(self._keep_listening(), name="outbox-listen")
        end = asyncio.create_task(self._wake_on(stop), name="outbox-stop")
        try:
            await self._relay(stop)
        finally:
            ears.cancel()
            end.cancel()
            await asyncio.gather(ears, end, return_exceptions=True)

    async def drain(self) -> int:
        """Publish everything committed so far and return how many.

        Raises Unavailable, at once with a store away; with a subject that the broker does not
        take, as a full stream, once all that waits behind it is out.
        """
        total = 0
        failed: dict[str, BaseException] = {}
        while claimed := await self._publish_batch(failed):
            total += claimed
        if failed:
            raise next(iter(failed.values()))
        return total

    async def _relay(self, stop: asyncio.Event) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            self._wake.clear()
            try:
                await self.drain()
            except Unavailable as error:
                if pause == _FIRST_PAUSE_SECONDS:
                    log.warning("outbox_waiting", **error.context)
                await self._rest(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _FIRST_PAUSE_SECONDS
                await self._rest(_POLL_SECONDS)

    async def _publish_batch(self, failed: dict[str, BaseException]) -> int:
        """Publish the oldest rows of subjects that have not failed, and note those that now do."""
        # Asked before rows are locked: with the broker away nothing is claimed in vain.
        _ = self._bus.connection
        async with transaction(self._sessions) as session:
            rows = (await session.execute(_claim(failed))).all()
            results = await asyncio.gather(*map(self._publish, rows), return_exceptions=True)
            await _settle(session, rows, results)
        for row, result in zip(rows, results, strict=True):
            if result is not None and not isinstance(result, Broken):
                failed.setdefault(row.subject, result)
        return len(rows)

    async def _publish(self, row: Row[Any]) -> None:
        await self._bus.send(
            row.subject, row.payload, message_id=str(row.event_id), headers=row.headers
        )

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _woken(self) -> None:
        self._wake.set()

    async def _wake_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _keep_listening(self) -> None:
        while True:
            try:
                with outages_as_unavailable():
                    async with _listening(self._engine, self._wake) as ended:
                        self._wake.set()
                        await ended.wait()
            except Unavailable:
                log.debug("outbox_listen_lost")
            await asyncio.sleep(_POLL_SECONDS)


_CLAIM: Final = (
    select(_OUTBOX)
    .where(_OUTBOX.c.refused.is_(None))
    .order_by(_OUTBOX.c.position)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)


def _claim(failed: Collection[str]) -> Select[Any]:
    return _CLAIM.where(_OUTBOX.c.subject.not_in(failed)) if failed else _CLAIM


async def _settle(
    session: AsyncSession, rows: Sequence[Row[Any]], results: Sequence[BaseException | None]
) -> None:
    stored = [row.position for row, result in zip(rows, results, strict=True) if result is None]
    if stored:
        await session.execute(delete(_OUTBOX).where(_OUTBOX.c.position.in_(stored)))
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, Broken):
            log.error("outbox_event_refused", position=row.position, **result.context)
            refusal = update(_OUTBOX).where(_OUTBOX.c.position == row.position)
            await session.execute(refusal.values(refused=str(result.context)))


@asynccontextmanager
async def _listening(engine: AsyncEngine, wake: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Set `wake` at each notification; the yielded event is set when the connection ends."""
    ended = asyncio.Event()

    def notified(*_: object) -> None:
        wake.set()

    def terminated(*_: object) -> None:
        ended.set()

    async with engine.connect() as pooled:
        raw: Any = (await pooled.get_raw_connection()).driver_connection
        raw.add_termination_listener(terminated)
        try:
            await raw.add_listener(_CHANNEL, notified)
            yield ended
        except CONNECT_FAILURES as error:
            raise unavailable(error) from error
        finally:
            # It hears for itself: it must not go back to the pool with its ears on.
            await pooled.invalidate()
