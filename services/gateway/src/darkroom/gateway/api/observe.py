"""What is kept of a request: metrics always, a line for what failed, a span if asked."""

import time
from types import TracebackType
from typing import Any, Final, Self

from opentelemetry import trace

from darkroom.contracts.claims import REQUEST_ID_HEADER
from darkroom.gateway.api.head import Head
from darkroom.platform.errors import Rejected, ServiceError
from darkroom.platform.http.requests import current_request_id
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS
from darkroom.platform.telemetry.propagation import extract, inject
from darkroom.platform.telemetry.setup import tracer

# What nginx logs for a client that closed the connection; never sent.
CLIENT_GONE: Final = 499
_NAMES: Final = ("traceparent", "tracestate")
# Longer than two hops' ids and a vendor or two; a longer one is not a trace context.
_TRACE_CHARACTERS: Final = 512

log = get_logger()

# Looking a series up by its labels takes a lock; there are only as many as routes and statuses.
_counters: dict[tuple[str, str, int], Any] = {}
_timers: dict[tuple[str, str], Any] = {}


class Observation:
    """Follow one request from its head to its last byte."""

    def __init__(self, head: Head, *, is_tracing: bool) -> None:
        self._head = head
        self._is_tracing = is_tracing
        self._started_at = time.perf_counter()
        self._span: Any = None
        self.request_id = current_request_id()
        self.route = "unmatched"
        self.status = 0

    def __enter__(self) -> Self:
        if self._is_tracing:
            # Reading a context also adopts its request id, so ours goes in beside the trace.
            carrier = {name: self._head.text(name.encode()) or "" for name in _NAMES}
            context = extract({**carrier, REQUEST_ID_HEADER: self.request_id})
            self._span = tracer().start_as_current_span(
                f"{self._head.method} request", context=context, kind=trace.SpanKind.SERVER
            )
            self._span.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._count()
        if self._span is not None:
            span = trace.get_current_span()
            span.update_name(f"{self._head.method} {self.route}")
            span.set_attribute("http.response.status_code", self.status)
            self._span.__exit__(kind, error, traceback)

    def trace_headers(self) -> list[tuple[str, str]]:
        """Return the trace context to send on: our span's, or the caller's when we make none."""
        if self._span is not None:
            headers: dict[str, str] = {}
            inject(headers)
            return [(name, headers[name]) for name in _NAMES if name in headers]
        if b"traceparent" not in self._head.fields:
            return []
        found = ((name, self._head.text(name.encode())) for name in _NAMES)
        return [(name, text) for name, text in found if text and len(text) <= _TRACE_CHARACTERS]

    def refused(self, error: ServiceError) -> None:
        """Note a refusal: ours to look at when it is not the caller's."""
        note = log.info if isinstance(error, Rejected) else log.warning
        # The error's own words come first: none of them may take the place of ours.
        fields = {
            **error.context,
            "method": self._head.method,
            "route": self.route,
            "code": error.problem_code,
            "is_reply_cut": bool(self.status),
        }
        note("request_refused", **fields)

    def client_gone(self) -> None:
        """Note that nobody waits for the answer any more."""
        self.status = CLIENT_GONE
        log.info("client_gone", method=self._head.method, route=self.route)

    def _count(self) -> None:
        # Methods are the caller's words: those no route knows must not make series of their own.
        method = self._head.method if self.route != "unmatched" else "any"
        key = (method, self.route, self.status)
        counter = _counters.get(key)
        if counter is None:
            counter = _counters[key] = HTTP_REQUESTS.labels(method, self.route, self.status)
        counter.inc()
        timer = _timers.get(key[:2])
        if timer is None:
            timer = _timers[key[:2]] = HTTP_SECONDS.labels(method, self.route)
        timer.observe(time.perf_counter() - self._started_at)


def is_tracing_on() -> bool:
    """Tell whether spans are made at all; to be asked once, for it reads the environment."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
