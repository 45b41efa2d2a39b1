"""Dead letters: what no handler will take, kept whole with the reason for a person to read."""

from typing import Final

from darkroom.platform.errors import Broken
from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.pull import ACK, Taken
from darkroom.platform.telemetry.logs import get_logger

SUBJECT_HEADER: Final = "Darkroom-Subject"
STREAM_HEADER: Final = "Darkroom-Stream"
SEQUENCE_HEADER: Final = "Darkroom-Sequence"
CONSUMER_HEADER: Final = "Darkroom-Consumer"
DELIVERIES_HEADER: Final = "Darkroom-Deliveries"
REASON_HEADER: Final = "Darkroom-Reason"

# A reason is a line to read, not a traceback.
_REASON_CHARACTERS: Final = 500
# The broker acts upon its own headers; those of the first publish must not act again.
_BROKER_PREFIX: Final = "nats-"

log = get_logger()


async def bury(bus: JetStream, taken: Taken, reason: str) -> None:
    """Store a message as a dead letter, then take it off its stream. Raises Unavailable.

    Safe to repeat: the same message of the same consumer is stored once. One that leaves no room
    for its own story is stored without its payload.
    """
    try:
        await _store(bus, taken, taken.payload, reason)
    except Broken:
        await _store(bus, taken, b"", f"payload left out; {reason}")
    await bus.respond(taken.reply, ACK)
    log.error("message_parked", subject=taken.subject, consumer=taken.consumer, reason=reason)


async def _store(bus: JetStream, taken: Taken, payload: bytes, reason: str) -> None:
    kept = {
        name: value
        for name, value in taken.headers.items()
        if not name.lower().startswith(_BROKER_PREFIX)
    }
    story = {
        SUBJECT_HEADER: taken.subject,
        STREAM_HEADER: taken.stream,
        SEQUENCE_HEADER: str(taken.sequence),
        CONSUMER_HEADER: taken.consumer,
        DELIVERIES_HEADER: str(taken.number),
        REASON_HEADER: " ".join(reason.split())[:_REASON_CHARACTERS],
    }
    await bus.send(
        f"darkroom.dead.{taken.stream}",
        payload,
        message_id=f"dead-{taken.stream}-{taken.consumer}-{taken.sequence}",
        headers=kept | story,
    )
