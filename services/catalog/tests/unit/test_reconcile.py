from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog.domain.reconcile import SAMPLES, Finding, LatestReport, Report, SeenKeys


@given(st.sets(st.text(max_size=20)), st.sets(st.text(max_size=20)))
def test_keys_seen_are_known_and_others_are_not(seen: set[str], asked: set[str]) -> None:
    keys = SeenKeys()
    for key in seen:
        keys.add(key)
    keys.seal()
    assert len(keys) == len(seen)
    for key in asked | seen:
        assert (key in keys) is (key in seen)


def test_a_finding_counts_all_and_keeps_the_first_few() -> None:
    finding = Finding()
    for number in range(SAMPLES + 5):
        finding.note(str(number))
    assert finding.count == SAMPLES + 5
    assert finding.samples == [str(number) for number in range(SAMPLES)]


def test_there_is_no_report_before_the_first_comparison(now: datetime) -> None:
    latest = LatestReport()
    assert latest.report is None
    latest.report = Report(started_at=now)
    assert latest.report.orphans.count == 0
