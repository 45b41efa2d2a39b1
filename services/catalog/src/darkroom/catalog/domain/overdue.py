"""Which overdue images have lost their job, and how long each attempt is waited for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

# An upload that could not be processed for a day ends `failed`; the HTTP contract says so.
LIFETIME: Final = timedelta(hours=24)
# Long beyond the latency of a healthy relay and broker. Looking early costs nothing: a job that
# waits or runs is still held by the broker, and is left alone.
FIRST_PATIENCE: Final = timedelta(seconds=30)
# Doubled with each attempt up to an hour: results that nobody applies must not make work forever.
MOST_DOUBLINGS: Final = 7
# A relay sends within milliseconds; an event unsent for longer tells of an outage. Rows of
# transactions that overlap, and two clocks, are in order to within this as well.
UNSENT_TOLERANCE: Final = timedelta(seconds=5)
# How long after `enqueued_at` the broker may have stored a job: it was sent before the look at
# the outbox that would have found it unsent for too long. A minute leaves room for the restart of
# a sweeper between two looks; under a backlog a lost job is found that much later.
STORED_WITHIN: Final = timedelta(seconds=60)
# Looks further apart than this leave a time of which nothing is known.
LOOKS_APART: Final = STORED_WITHIN - UNSENT_TOLERANCE


class Remedy(StrEnum):
    EXPIRE = "expire"
    REQUEUE = "requeue"


def patience(attempt: int) -> timedelta:
    """Return how long an attempt may take to its start, and from there to its end."""
    return FIRST_PATIENCE * (1 << min(attempt - 1, MOST_DOUBLINGS))


@dataclass(frozen=True, slots=True)
class Backlog:
    """The oldest job the outbox still holds, and the oldest the broker still holds, or None.

    Jobs may have been sent as late as `outbox_late_until`, whenever they were asked for.
    """

    oldest_unsent: datetime | None
    oldest_stored: datetime | None
    outbox_late_until: datetime

    def lost_before(self, now: datetime) -> datetime | None:
        """Return the time before which a job asked for is held by nobody, if there is one.

        In a work queue an acknowledged job is gone, so the oldest one left tells of all before.
        """
        bounds = [now]
        if self.oldest_unsent is not None:
            bounds.append(self.oldest_unsent - UNSENT_TOLERANCE)
        if self.oldest_stored is not None:
            bound = self.oldest_stored - STORED_WITHIN
            if self.outbox_late_until >= bound:
                return None
            bounds.append(bound)
        return min(bounds)


@dataclass(frozen=True, slots=True)
class OutboxWatch:
    """When a sweep last looked at the outbox, and until when jobs may have been sent late."""

    looked_at: datetime
    late_until: datetime


def watch(
    before: OutboxWatch | None, oldest_unsent: datetime | None, *, now: datetime
) -> OutboxWatch:
    """Add a look to those before it; a time that nobody looked at counts as late."""
    if before is None or now - before.looked_at > LOOKS_APART or is_late(oldest_unsent, now=now):
        return OutboxWatch(looked_at=now, late_until=now)
    return OutboxWatch(looked_at=now, late_until=before.late_until)


def is_late(oldest_unsent: datetime | None, *, now: datetime) -> bool:
    """Tell whether the outbox holds a job for longer than any healthy relay would."""
    return oldest_unsent is not None and now - oldest_unsent > UNSENT_TOLERANCE
