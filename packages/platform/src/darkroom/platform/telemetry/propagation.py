"""Trace context and request id across hops: the same two fields in HTTP and NATS headers."""

from collections.abc import Mapping, MutableMapping
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from darkroom.contracts.claims import REQUEST_ID_HEADER
from darkroom.platform.http.requests import adopt_request_id, current_request_id

_PROPAGATOR: Final = TraceContextTextMapPropagator()


def inject(headers: MutableMapping[str, str]) -> None:
    """Write the current trace and request id into outgoing headers."""
    _PROPAGATOR.inject(headers)
    headers[REQUEST_ID_HEADER] = current_request_id()


def extract(headers: Mapping[str, str]) -> Context:
    """Read the sender's trace context; header names are compared in lower case.

    Also adopts the sender's request id for the current context.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    adopt_request_id(lowered.get(REQUEST_ID_HEADER))
    return _PROPAGATOR.extract(lowered)
