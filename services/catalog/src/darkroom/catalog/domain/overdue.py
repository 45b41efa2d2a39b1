"""What becomes of an image whose job is past its deadline."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from darkroom.catalog.domain.image import Image

# An upload that could not be processed for a day ends `failed`; the HTTP contract says so.
LIFETIME: Final = timedelta(hours=24)
# A job not started by then is looked at; long beyond the latency of a healthy relay and broker.
START_WITHIN: Final = timedelta(seconds=30)
# A started job not finished by then is looked at; the processor's own wall clock is shorter.
FINISH_WITHIN: Final = timedelta(seconds=60)
# Clocks of database and service, and transactions that overlap, put rows in order to within this.
OUTBOX_DISORDER: Final = timedelta(seconds=5)
# The broker's clock starts when a relay reaches it. A job still unsent at its deadline has its
# time renewed, so it is stored at most START_WITHIN and one sweep after `enqueued_at`.
STORED_WITHIN: Final = timedelta(seconds=45)


class Remedy(StrEnum):
    EXPIRE = "expire"
    RENEW = "renew"
    WAIT = "wait"
    REQUEUE = "requeue"


@dataclass(frozen=True, slots=True)
class Backlog:
    """The oldest job the outbox still holds, and the oldest the broker still holds.

    None means that there is none. `is_broker_known` is false while the broker cannot be asked.
    """

    oldest_unsent: datetime | None
    oldest_stored: datetime | None
    is_broker_known: bool


def decide(image: Image, backlog: Backlog, *, now: datetime) -> Remedy:
    """Ask again only for a job that nobody holds: in a work queue, an acknowledged one is gone."""
    if now - image.created_at >= LIFETIME:
        return Remedy.EXPIRE
    if _reaches(backlog.oldest_unsent, image.enqueued_at + OUTBOX_DISORDER):
        return Remedy.RENEW
    if not backlog.is_broker_known:
        return Remedy.WAIT
    if _reaches(backlog.oldest_stored, image.enqueued_at + STORED_WITHIN):
        return Remedy.WAIT
    return Remedy.REQUEUE


def _reaches(oldest: datetime | None, moment: datetime) -> bool:
    return oldest is not None and oldest <= moment
