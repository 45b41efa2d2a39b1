from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from darkroom.platform.http.requests import adopt_request_id, current_request_id
from darkroom.platform.telemetry.propagation import extract, inject


def test_a_trace_and_a_request_id_survive_a_hop() -> None:
    tracer = TracerProvider().get_tracer("test")
    headers: dict[str, str] = {}
    adopt_request_id("order-66")
    with tracer.start_as_current_span("sender") as sender:
        inject(headers)
    adopt_request_id("other")
    context = extract({name.title(): value for name, value in headers.items()})
    received = trace.get_current_span(context).get_span_context()
    assert received.trace_id == sender.get_span_context().trace_id
    assert current_request_id() == "order-66"
