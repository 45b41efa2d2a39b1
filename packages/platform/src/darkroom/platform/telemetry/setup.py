"""Turn telemetry on for a process; spans leave only when an OTLP endpoint is set."""

from functools import lru_cache

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from darkroom.platform.settings import TelemetrySettings
from darkroom.platform.telemetry.logs import setup_logs


def setup_telemetry(service: str, settings: TelemetrySettings) -> None:
    """Set up logs and, with an endpoint, traces. Called once, by a process entry."""
    setup_logs(service, level=settings.log_level, log_format=settings.log_format)
    if settings.otlp_endpoint is None:
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"darkroom-{service}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint}/v1/traces")
    # Half a second: long enough to batch under load, short enough to see a request at once.
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    trace.set_tracer_provider(provider)


@lru_cache(maxsize=1)
def tracer() -> trace.Tracer:
    """Return the tracer every span of ours comes from; next to free while tracing is off.

    Kept, because asking for one reads the environment; a tracer asked for before tracing is set
    up follows the provider once there is one.
    """
    return trace.get_tracer("darkroom")
