"""Conditional and partial reads by RFC 9110: what to answer, from headers and the row alone."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

# One range of bytes; 18 digits are beyond any object and within 64 bits.
_ONE_RANGE: Final = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to, and not including, `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


class NotSatisfiable(Exception):
    """No byte of the object lies in the range asked for."""


def strong_etag(sha256: str) -> str:
    return f'"{sha256}"'


def http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def is_unchanged(
    *, if_none_match: str | None, if_modified_since: str | None, etag: str, modified_at: datetime
) -> bool:
    """Tell whether the client's copy is the current one; an ETag outweighs a date."""
    if if_none_match is not None:
        tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
        return if_none_match.strip() == "*" or etag in tags
    if if_modified_since is None:
        return False
    since = _read_date(if_modified_since)
    return since is not None and modified_at.replace(microsecond=0) <= since


def choose_span(
    *, range_header: str | None, if_range: str | None, etag: str, modified_at: datetime, size: int
) -> Span | None:
    """Return the bytes to send, or None for all of them; raises NotSatisfiable.

    Several ranges, and what is no range of bytes, are ignored, as the RFC allows.
    """
    if range_header is None or not _holds(if_range, etag=etag, modified_at=modified_at):
        return None
    match = _ONE_RANGE.match(range_header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    return _resolve(*match.groups(), size=size)


def _resolve(first: str, last: str, *, size: int) -> Span | None:
    if not first:
        span = Span(max(size - int(last), 0), size)
    elif last and int(last) < int(first):
        return None
    else:
        span = Span(int(first), min(int(last) + 1, size) if last else size)
    if span.size <= 0:
        raise NotSatisfiable
    return span


def _holds(if_range: str | None, *, etag: str, modified_at: datetime) -> bool:
    if if_range is None:
        return True
    if if_range.strip().startswith(('"', "W/")):
        return if_range.strip() == etag
    return if_range.strip() == http_date(modified_at)


def _read_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # A date without a zone is not an HTTP date and cannot be compared.
    return moment if moment.tzinfo is not None else None
