"""Metrics: Prometheus counters and histograms every service has; services add their own."""

from typing import Final

from prometheus_client import Counter, Histogram

# From a cached read (1 ms) to the longest synchronous edit (55 s).
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

HTTP_REQUESTS: Final = Counter(
    "darkroom_http_requests", "Requests answered.", ("method", "route", "status")
)
HTTP_SECONDS: Final = Histogram(
    "darkroom_http_request_seconds", "Time to the last byte.", ("method", "route"), buckets=_BUCKETS
)
EVENTS_HANDLED: Final = Counter(
    "darkroom_events_handled", "Messages that reached an outcome.", ("durable", "outcome")
)
EVENT_SECONDS: Final = Histogram(
    "darkroom_event_seconds", "Time a handler took.", ("durable",), buckets=_BUCKETS
)
EVENTS_PUBLISHED: Final = Counter(
    "darkroom_events_published", "Events the broker acknowledged.", ("subject",)
)
