import pytest

from darkroom.platform import errors
from darkroom.platform.errors import (
    Broken,
    Conflict,
    LimitReached,
    NotFound,
    ServiceError,
    TimedOut,
    Unavailable,
)
from darkroom.platform.messaging.handling import delay_seconds
from darkroom.platform.messaging.outcomes import OUTCOME, Outcome, outcome_of


class Stray(ServiceError):
    """A service's own error of no family, loaded beside the rest."""


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Conflict(), Outcome.PARK),
        (NotFound(), Outcome.PARK),
        (LimitReached(), Outcome.RETRY_LATER),
        (Unavailable(), Outcome.RETRY_LATER),
        (TimedOut(), Outcome.RETRY_LATER),
        (Broken(), Outcome.RETRY_THEN_PARK),
        (ZeroDivisionError(), Outcome.RETRY_THEN_PARK),
        (Stray(), Outcome.RETRY_THEN_PARK),
    ],
    ids=lambda value: type(value).__name__,
)
def test_outcome_is_the_nearest_familys(error: Exception, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


def test_every_family_has_an_outcome() -> None:
    # Only what `errors` defines is a family: services' own errors may be loaded beside it.
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    families = {kind for kind in kinds if ServiceError in kind.__bases__}
    assert Broken in families
    assert families <= set(OUTCOME)


@pytest.mark.parametrize(
    ("number", "middle"), [(1, 0.5), (2, 1), (3, 2), (7, 32), (8, 60), (9, 60), (5_000, 60)]
)
def test_delays_double_are_capped_and_spread(number: int, middle: float) -> None:
    delays = [delay_seconds(number) for _ in range(200)]
    assert middle * 0.75 <= min(delays) < max(delays) <= middle * 1.25
