"""Structured logs: constant event names, values as fields, one JSON object a line."""

import logging
import sys
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from opentelemetry import trace

from darkroom.platform.http.requests import find_request_id

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

# Locals hold credentials and bytes of pictures; neither belongs in a log.
_TRACEBACKS: Final = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)


def get_logger() -> "FilteringBoundLogger":
    """Return a lazy logger; it takes the configuration of the process at its first use."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def setup_logs(service: str, *, level: str, log_format: str) -> None:
    """Configure logging of the whole process, libraries included, to standard output."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if log_format == "console"
        else structlog.processors.JSONRenderer()
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _Stamp(service),
            structlog.processors.ExceptionRenderer(_TRACEBACKS),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = _ToStructlog()
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _Stamp:
    """Add the service, the request and the trace to every line."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
        event["service"] = self._service
        request_id = find_request_id()
        if request_id is not None:
            event["request_id"] = request_id
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = f"{span.trace_id:032x}"
        return event


class _ToStructlog(logging.Handler):
    """Carry what libraries log into our own lines, without their formatting."""

    def emit(self, record: logging.LogRecord) -> None:
        error = repr(record.exc_info[1]) if record.exc_info else None
        get_logger().log(
            record.levelno,
            "library_logged",
            library=record.name,
            message=record.getMessage(),
            error=error,
        )
