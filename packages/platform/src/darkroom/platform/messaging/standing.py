"""What a stream still holds, and how far its consumers have come: questions, nothing is taken."""

from datetime import datetime

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from darkroom.platform.messaging.jetstream import JetStream
from darkroom.platform.messaging.topology import stream_of


async def oldest_pending(bus: JetStream, subject: str) -> datetime | None:
    """Return when the oldest unacknowledged message of a lane was stored; None for none.

    Raises Unavailable when the broker is away, which is no statement about the lane.
    """
    async with bus.question() as js:
        oldest = await _oldest(js, subject)
    return None if oldest is None else oldest.time


async def newest_position(bus: JetStream, subject: str) -> int:
    """Return the position of the newest message in the subject's stream. Raises Unavailable."""
    async with bus.question() as js:
        return (await js.stream_info(stream_of(subject))).state.last_seq


async def has_settled(bus: JetStream, durable: str, *, subject: str, until: int) -> bool:
    """Tell whether a consumer has settled all of its subject up to a position in the stream.

    A consumer that is not there yet will be given whatever the stream holds. Raises Unavailable.
    """
    async with bus.question() as js:
        try:
            consumer = await js.consumer_info(stream_of(subject), durable)
        except NotFoundError:
            return await _oldest(js, subject) is None
    if not consumer.num_pending and not consumer.num_ack_pending:
        return True
    return consumer.ack_floor is not None and consumer.ack_floor.stream_seq >= until


async def _oldest(js: JetStreamContext, subject: str) -> RawStreamMsg | None:
    try:
        return await js.get_msg(stream_of(subject), seq=1, subject=subject, next=True)
    except NotFoundError:
        return None
