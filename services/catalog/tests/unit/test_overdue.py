from datetime import datetime, timedelta

import pytest

from darkroom.catalog.domain.overdue import (
    FIRST_PATIENCE,
    LOOKS_APART,
    STORED_WITHIN,
    UNSENT_TOLERANCE,
    Backlog,
    OutboxWatch,
    is_late,
    patience,
    watch,
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
    sent_until = now - 2 * MINUTE
    soon = Backlog(None, sent_until + SECOND, sent_until)
    assert soon.lost_before(now) is None
    passed = Backlog(None, sent_until + STORED_WITHIN + SECOND, sent_until)
    assert passed.lost_before(now) == sent_until + SECOND


def test_an_outbox_is_late_when_it_holds_a_job_longer_than_a_relay_takes(now: datetime) -> None:
    assert not is_late(None, now=now)
    assert not is_late(now - SECOND, now=now)
    assert is_late(now - UNSENT_TOLERANCE - SECOND, now=now)


def test_a_time_that_nobody_looked_at_counts_as_late(now: datetime, long_ago: datetime) -> None:
    assert watch(None, None, now=now) == OutboxWatch(now, now)
    restarted = watch(OutboxWatch(now - LOOKS_APART, long_ago), None, now=now)
    assert restarted == OutboxWatch(now, long_ago)
    blind = watch(OutboxWatch(now - LOOKS_APART - SECOND, long_ago), None, now=now)
    assert blind == OutboxWatch(now, now)


def test_a_late_outbox_is_remembered_until_it_is_late_again(
    now: datetime, long_ago: datetime
) -> None:
    before = OutboxWatch(now - SECOND, long_ago)
    assert watch(before, now - SECOND, now=now) == OutboxWatch(now, long_ago)
    assert watch(before, now - MINUTE, now=now) == OutboxWatch(now, now)


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


def test_looks_at_the_default_interval_and_a_restart_between_them_leave_nothing_unseen() -> None:
    interval = CatalogSettings.model_fields["sweep_interval_seconds"].default
    assert timedelta(seconds=interval) + MINUTE / 2 < LOOKS_APART
