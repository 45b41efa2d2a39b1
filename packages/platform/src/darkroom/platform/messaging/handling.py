"""One message from hand to verdict: heartbeat, handler, outcome, acknowledgement."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from darkroom.contracts.event import Event
from darkroom.platform.errors import Unavailable
from darkroom.platform.messaging.dead_letters import bury
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.outcomes import Outcome, outcome_of
from darkroom.platform.messaging.pull import ACK, PROGRESS, Taken, nak
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.metrics import EVENT_SECONDS, EVENTS_HANDLED
from darkroom.platform.telemetry.propagation import extract
from darkroom.platform.telemetry.setup import tracer

# How often a handler may fail by our own fault before the message is set aside.
MAX_DELIVERIES: Final = 5
# A message that comes back this often without a verdict kills whoever takes it. An outage also
# makes deliveries, one a minute: three hours of it stay below this.
ABANDONED_AFTER: Final = 200

_FIRST_DELAY_SECONDS: Final = 0.5
_LONGEST_DELAY_SECONDS: Final = 60.0
# A quarter either way keeps a crowd that failed together from coming back together.
_JITTER: Final = 0.25
# Two heartbeats may be lost before the broker gives the message to somebody else.
_HEARTBEATS_PER_ACK_WAIT: Final = 3
_TELL_AGAIN_SECONDS: Final = 0.1

E = TypeVar("E", bound=Event)

log = get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler may know of the delivery: which try it is, what travelled with it.

    `progress` tells the broker that work goes on; the worker does so by itself every third of
    the acknowledgement time.
    """

    number: int
    headers: Mapping[str, str]
    progress: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription(Generic[E]):
    """Say which handler of ours hears which event, and how many at a time.

    `durable` names the consumer at the broker: processes that share it share the messages.
    `subject` narrows to a lane.
    """

    event: type[E]
    handler: Callable[[E, Delivery], Awaitable[None]]
    durable: str
    concurrency: int = 1
    subject: str | None = None
    ack_wait_seconds: float = 30.0

    @property
    def filter(self) -> str:
        """Return the subject the consumer takes from its stream."""
        return self.subject or self.event.subject


async def carry(bus: JetStream, subscription: Subscription[E], taken: Taken) -> None:
    """Handle one message and settle it.

    A broker that cannot be told within the acknowledgement time brings the message back itself. A
    cancelled handler's message is handed back with a delay.
    """
    started = time.perf_counter()
    try:
        async with _heartbeat(bus, taken, subscription.ack_wait_seconds):
            outcome, reason = await _attempt(bus, subscription, taken)
    except asyncio.CancelledError:
        # Cancelled means leaving: with the broker away as well, its own clock brings it back.
        with suppress(Unavailable):
            await bus.respond(taken.reply, nak(delay_seconds(taken.number)))
        raise
    EVENT_SECONDS.labels(subscription.durable).observe(time.perf_counter() - started)
    EVENTS_HANDLED.labels(subscription.durable, outcome).inc()
    with suppress(TimeoutError):
        async with asyncio.timeout(subscription.ack_wait_seconds):
            await _settle(bus, taken, outcome, reason)


def delay_seconds(number: int) -> float:
    """Return how long to wait after the given delivery: doubling, capped, spread."""
    # Past the eighth doubling the cap holds anyway; the power must not outgrow a float.
    delay = min(_FIRST_DELAY_SECONDS * 2.0 ** min(number - 1, 8), _LONGEST_DELAY_SECONDS)
    return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, hides nothing


async def _attempt(
    bus: JetStream, subscription: Subscription[E], taken: Taken
) -> tuple[Outcome, str]:
    if taken.number > ABANDONED_AFTER:
        return Outcome.PARK, "no worker survived it"
    try:
        event = subscription.event.decode(taken.payload)
    except ValidationError as error:
        return Outcome.PARK, f"unreadable: {error}"
    context = extract(taken.headers)

    async def progress() -> None:
        await bus.respond(taken.reply, PROGRESS)

    delivery = Delivery(taken.number, taken.headers, progress)
    span = f"handle {subscription.event.subject}"
    try:
        with tracer().start_as_current_span(span, context=context, kind=SpanKind.CONSUMER):
            await subscription.handler(event, delivery)
    except Exception as error:  # noqa: BLE001 - this is the edge: the table decides
        return _judge(subscription, taken, error)
    return Outcome.DONE, ""


def _judge(subscription: Subscription[E], taken: Taken, error: Exception) -> tuple[Outcome, str]:
    outcome = outcome_of(error)
    if outcome is Outcome.RETRY_THEN_PARK and taken.number >= MAX_DELIVERIES:
        outcome = Outcome.PARK
    write = log.warning if outcome is Outcome.RETRY_LATER else log.error
    write(
        "message_failed",
        durable=subscription.durable,
        delivery=taken.number,
        outcome=outcome,
        context=getattr(error, "context", None),
        exc_info=error,
    )
    return outcome, f"{type(error).__name__}: {error}"


async def _settle(bus: JetStream, taken: Taken, outcome: Outcome, reason: str) -> None:
    """Tell the broker, over the next connection if this one is gone; work done stays done."""
    while True:
        try:
            return await _tell(bus, taken, outcome, reason)
        except Unavailable:
            await asyncio.sleep(_TELL_AGAIN_SECONDS)
            await bus.wait_connected()


async def _tell(bus: JetStream, taken: Taken, outcome: Outcome, reason: str) -> None:
    if outcome is Outcome.DONE:
        await bus.respond(taken.reply, ACK)
    elif outcome is Outcome.PARK:
        await bury(bus, taken, reason)
    else:
        await bus.respond(taken.reply, nak(delay_seconds(taken.number)))


@asynccontextmanager
async def _heartbeat(bus: JetStream, taken: Taken, ack_wait_seconds: float) -> AsyncIterator[None]:
    task = asyncio.create_task(_beat(bus, taken, ack_wait_seconds / _HEARTBEATS_PER_ACK_WAIT))
    try:
        yield
    finally:
        task.cancel()


async def _beat(bus: JetStream, taken: Taken, period_seconds: float) -> None:
    while True:
        await asyncio.sleep(period_seconds)
        try:
            await bus.respond(taken.reply, PROGRESS)
        except Unavailable:
            # The broker will deliver the message again; both deliveries are safe to finish.
            log.debug("heartbeat_failed", subject=taken.subject)
