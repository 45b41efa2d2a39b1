from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from darkroom.catalog.domain.image import Image
from darkroom.catalog.domain.overdue import LIFETIME, STORED_WITHIN, Backlog, Remedy, decide
from darkroom.catalog.settings import CatalogSettings

MakeImage = Callable[..., Image]
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def backlog(
    unsent: datetime | None = None, stored: datetime | None = None, *, known: bool = True
) -> Backlog:
    return Backlog(unsent, stored, is_broker_known=known)


def test_a_job_that_nobody_holds_is_asked_for_again(make_image: MakeImage, now: datetime) -> None:
    assert decide(make_image(), backlog(), now=now + MINUTE) is Remedy.REQUEUE


def test_a_job_the_broker_may_hold_is_waited_for(make_image: MakeImage, now: datetime) -> None:
    for stored in (now - HOUR, now, now + SECOND, now + STORED_WITHIN):
        assert decide(make_image(), backlog(stored=stored), now=now + MINUTE) is Remedy.WAIT


def test_a_lane_that_has_passed_the_job_has_lost_it(make_image: MakeImage, now: datetime) -> None:
    passed = backlog(stored=now + STORED_WITHIN + SECOND)
    assert decide(make_image(), passed, now=now + HOUR) is Remedy.REQUEUE


def test_k_12_a_job_the_outbox_still_holds_is_not_asked_for_twice(
    make_image: MakeImage, now: datetime
) -> None:
    for known in (True, False):
        unsent = backlog(unsent=now + SECOND, known=known)
        assert decide(make_image(), unsent, now=now + MINUTE) is Remedy.RENEW
    later = backlog(unsent=now + HOUR)
    assert decide(make_image(), later, now=now + HOUR) is Remedy.REQUEUE


def test_nothing_is_asked_for_again_while_the_broker_cannot_be_asked(
    make_image: MakeImage, now: datetime
) -> None:
    assert decide(make_image(), backlog(known=False), now=now + HOUR) is Remedy.WAIT


@pytest.mark.parametrize("known", [True, False])
def test_after_a_day_an_image_ends_whatever_is_held(
    make_image: MakeImage, now: datetime, *, known: bool
) -> None:
    held = backlog(unsent=now, stored=now, known=known)
    assert decide(make_image(), held, now=now + LIFETIME) is Remedy.EXPIRE
    assert decide(make_image(), held, now=now + LIFETIME - SECOND) is not Remedy.EXPIRE


def test_the_time_allowed_for_storing_covers_the_default_sweep(make_image: MakeImage) -> None:
    image = make_image()
    interval = CatalogSettings.model_fields["sweep_interval_seconds"].default
    assert image.deadline_at - image.enqueued_at + timedelta(seconds=interval) < STORED_WITHIN
