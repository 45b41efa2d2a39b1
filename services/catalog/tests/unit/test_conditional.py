from datetime import datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.catalog.domain.conditional import (
    NotSatisfiable,
    Span,
    choose_span,
    http_date,
    is_unchanged,
)

ETAG = '"abc"'
SIZE = 100
WHEN = datetime.fromisoformat("2024-01-15T12:00:00.25+00:00")


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-", Span(0, 100)),
        ("bytes=10-19", Span(10, 20)),
        ("bytes=90-500", Span(90, 100)),
        ("bytes=-1", Span(99, 100)),
        ("bytes=-500", Span(0, 100)),
        ("BYTES=5-6", Span(5, 7)),
        ("bytes=19-10", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=+1-2", None),
        ("bytes=" + "9" * 40 + "-", None),
        ("", None),
    ],
)
def test_pub_04_one_range_is_read_and_nonsense_is_ignored(header: str, wanted: Span | None) -> None:
    assert (
        choose_span(range_header=header, if_range=None, etag=ETAG, modified_at=WHEN, size=SIZE)
        == wanted
    )


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999-"])
def test_pub_04_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        choose_span(range_header=header, if_range=None, etag=ETAG, modified_at=WHEN, size=SIZE)


def test_pub_12_no_range_of_an_empty_file_can_be_satisfied() -> None:
    for header in ("bytes=0-", "bytes=-1"):
        with pytest.raises(NotSatisfiable):
            choose_span(range_header=header, if_range=None, etag=ETAG, modified_at=WHEN, size=0)


def test_pub_04_a_thousand_ranges_cost_next_to_nothing() -> None:
    header = "bytes=" + ",".join(["0-"] * 1_000)
    before = process_time()
    span = choose_span(range_header=header, if_range=None, etag=ETAG, modified_at=WHEN, size=SIZE)
    assert span is None
    assert process_time() - before < 0.01


@given(st.text(max_size=80))
def test_no_header_breaks_the_reader(header: str) -> None:
    try:
        span = choose_span(
            range_header=header, if_range=header, etag=ETAG, modified_at=WHEN, size=SIZE
        )
    except NotSatisfiable:
        return
    assert span is None or 0 <= span.start < span.stop <= SIZE


@pytest.mark.parametrize(
    ("if_range", "is_partial"),
    [
        (ETAG, True),
        ('"other"', False),
        (f"W/{ETAG}", False),
        (http_date(WHEN), True),
        (http_date(WHEN + timedelta(seconds=1)), False),
        ("nonsense", False),
    ],
)
def test_a_range_is_given_only_of_the_copy_the_client_has(
    if_range: str, *, is_partial: bool
) -> None:
    span = choose_span(
        range_header="bytes=0-9", if_range=if_range, etag=ETAG, modified_at=WHEN, size=SIZE
    )
    assert (span is not None) is is_partial


@pytest.mark.parametrize(
    ("none_match", "since", "wanted"),
    [
        (ETAG, None, True),
        ("*", None, True),
        (f'"x", W/{ETAG}', None, True),
        ('"x"', None, False),
        ('"x"', http_date(WHEN), False),
        (None, http_date(WHEN), True),
        (None, http_date(WHEN - timedelta(seconds=1)), False),
        (None, "nonsense", False),
        (None, "Mon, 15 Jan 2024 12:00:00", False),
        (None, None, False),
    ],
)
def test_pub_08_a_copy_is_good_by_its_tag_or_else_by_its_date(
    none_match: str | None, since: str | None, *, wanted: bool
) -> None:
    assert (
        is_unchanged(if_none_match=none_match, if_modified_since=since, etag=ETAG, modified_at=WHEN)
        is wanted
    )
