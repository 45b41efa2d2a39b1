from datetime import datetime, timedelta

import pytest

from darkroom.catalog.domain.overdue import (
    FIRST_PATIENCE,
    STORED_WITHIN,
    UNSENT_TOLERANCE,
    Backlog,
    is_late,
    patience,
)
from darkroom.catalog.settings import CatalogSettings

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def long_ago(now: datetime) -> datetime:
    return now - 10 * HOUR


def test_with_nothing_held_every_job_asked_for_is_lost(now: datetime, long_ago: datetime) -> None:
    for late_until in (long_ago, now):
        assert Backlog(None, None, late_until).lost_before(now) == now


def test_a_job_the_broker_may_hold_is_not_lost(now: datetime, long_ago: datetime) -> None:
    stored = now - MINUTE
    lost_before = Backlog(None, stored, long_ago).lost_before(now)
    assert lost_before == stored - STORED_WITHIN


def test_k_12_a_job_the_outbox_still_holds_is_not_lost(now: datetime, long_ago: datetime) -> None:
    unsent = now - MINUTE
    for stored in (None, now):
        lost_before = Backlog(unsent, stored, long_ago).lost_before(now)
        assert lost_before == unsent - UNSENT_TOLERANCE


def test_jobs_sent_late_count_from_when_they_were_sent(now: datetime) -> None:
    sent_until = now - MINUTE
    soon = Backlog(None, sent_until + SECOND, sent_until)
    assert soon.lost_before(now) is None
    passed = Backlog(None, sent_until + STORED_WITHIN + SECOND, sent_until)
    assert passed.lost_before(now) == sent_until + SECOND


def test_an_outbox_is_late_when_it_holds_a_job_longer_than_a_relay_takes(now: datetime) -> None:
    assert not is_late(None, now=now)
    assert not is_late(now - SECOND, now=now)
    assert is_late(now - UNSENT_TOLERANCE - SECOND, now=now)


def test_patience_doubles_to_about_an_hour() -> None:
    assert [patience(attempt) / FIRST_PATIENCE for attempt in (1, 2, 3, 8, 9, 1_000)] == [
        1,
        2,
        4,
        128,
        128,
        128,
    ]
    assert HOUR <= patience(1_000) < 2 * HOUR


def test_the_time_allowed_for_storing_covers_the_default_interval_between_looks() -> None:
    interval = CatalogSettings.model_fields["sweep_interval_seconds"].default
    assert UNSENT_TOLERANCE + timedelta(seconds=interval) < STORED_WITHIN
