"""The streams: one table, made where absent, whoever connects first.

JOBS      work queue: a job leaves when it is acknowledged; full means no, never a lost old one
EVENTS    log of seven days: one durable consumer for each consuming service
DLQ       dead letters of thirty days, to be read and sent again by people
"""

from datetime import timedelta
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError

from darkroom.contracts.jobs import JobRequestedV1

JOBS: Final = "JOBS"
EVENTS: Final = "EVENTS"
DEAD_LETTERS: Final = "DLQ"

# A relay repeats a publish at once after a lost reply, or when another process takes over after
# a crash; both happen well within two minutes. Later repeats are the inbox's.
_DUPLICATE_WINDOW_SECONDS: Final = 120.0
# Half a million jobs of two kilobytes are a gigabyte, and days of work. Past that the broker
# refuses, and the outbox keeps what does not fit.
_MOST_JOBS: Final = 500_000

STREAMS: Final = (
    StreamConfig(
        name=JOBS,
        subjects=[f"{JobRequestedV1.subject}.*"],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.NEW,
        max_msgs=_MOST_JOBS,
        storage=StorageType.FILE,
        num_replicas=1,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
    ),
    StreamConfig(
        name=EVENTS,
        # darkroom.{area}.{fact}.{version}: four words; a job has a fifth, a dead letter only three.
        subjects=["darkroom.*.*.*"],
        retention=RetentionPolicy.LIMITS,
        max_age=timedelta(days=7).total_seconds(),
        storage=StorageType.FILE,
        num_replicas=1,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
    ),
    StreamConfig(
        name=DEAD_LETTERS,
        subjects=["darkroom.dead.*"],
        retention=RetentionPolicy.LIMITS,
        max_age=timedelta(days=30).total_seconds(),
        storage=StorageType.FILE,
        num_replicas=1,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
    ),
)

# JetStream: "stream name already in use with a different configuration".
_OTHER_CONFIGURATION: Final = 10_058


def stream_of(subject: str) -> str:
    """Return the stream that keeps a subject."""
    return JOBS if subject.startswith(f"{JobRequestedV1.subject}.") else EVENTS


async def ensure_topology(js: JetStreamContext) -> None:
    """Make every stream that is absent; an existing one keeps what an operator set on it."""
    for stream in STREAMS:
        try:
            await js.add_stream(stream)
        except BadRequestError as error:
            if error.err_code != _OTHER_CONFIGURATION:
                raise


async def ensure_consumer(
    js: JetStreamContext, *, durable: str, subject: str, ack_wait_seconds: float
) -> None:
    """Make the durable pull consumer of a subject, or bring its settings up to date.

    The broker itself never gives up on a message (`max_deliver` -1): one that it stopped
    delivering would stay in its stream with nobody to bury it. The worker counts and buries.
    """
    config = ConsumerConfig(
        durable_name=durable,
        filter_subject=subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait_seconds,
        max_deliver=-1,
    )
    await js.add_consumer(stream_of(subject), config)
