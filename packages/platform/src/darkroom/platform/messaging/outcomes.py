"""What becomes of a message: one table from error family to outcome."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from darkroom.platform.errors import (
    BadReply,
    Broken,
    LimitReached,
    Rejected,
    ServiceError,
    TimedOut,
    Unavailable,
)


class Outcome(StrEnum):
    """Name what happens to a message after its handler ended."""

    DONE = "done"
    RETRY_LATER = "retry_later"
    RETRY_THEN_PARK = "retry_then_park"
    PARK = "park"


# An outage is waited out for as long as it lasts: it says nothing about the message. What is our
# own fault gets a few more tries; what is the message's fault gets none.
OUTCOME: Final[Mapping[type[ServiceError], Outcome]] = {
    Rejected: Outcome.PARK,
    LimitReached: Outcome.RETRY_LATER,
    Unavailable: Outcome.RETRY_LATER,
    TimedOut: Outcome.RETRY_LATER,
    BadReply: Outcome.RETRY_THEN_PARK,
    Broken: Outcome.RETRY_THEN_PARK,
}


def outcome_of(error: BaseException) -> Outcome:
    """Look up the nearest family of an error; what belongs to none is our fault."""
    for family in type(error).__mro__:
        if family in OUTCOME:
            return OUTCOME[family]
    return Outcome.RETRY_THEN_PARK
