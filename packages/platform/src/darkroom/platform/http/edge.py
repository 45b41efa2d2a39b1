"""The outermost layer of every service: request id, trace, metrics, access log, last resort."""

import time
from typing import Final

from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from darkroom.platform.errors import Broken
from darkroom.platform.http.problems import problem_response, surface_of
from darkroom.platform.telemetry.logs import get_logger
from darkroom.platform.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS
from darkroom.platform.telemetry.propagation import extract
from darkroom.platform.telemetry.setup import tracer

# Probes and scrapes come every few seconds from every side; they would drown the log.
_QUIET_PREFIX: Final = "/-/"

log = get_logger()


class RequestEdge:
    """Wrap an app as plain ASGI, so that streaming stays streaming."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; nothing unknown leaves as anything but a problem body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        parent = extract(Headers(scope=scope))
        with tracer().start_as_current_span(
            f"{scope['method']} request", context=parent, kind=trace.SpanKind.SERVER
        ) as span:
            exchange = _Exchange(scope, send)
            try:
                await self._app(scope, receive, exchange.send)
            except Exception as error:  # the edge: whatever it is, the caller gets a 500
                log.exception("request_broke", error=repr(error))
                await exchange.answer_broken(receive)
            finally:
                exchange.record(span)


class _Exchange:
    """Follow one reply: its status, its size, whether its head has gone out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._status = 0
        self._started_at = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # Replies are for who asked, and hold links that open private pictures; media say
            # themselves how long they may be kept.
            MutableHeaders(scope=message).setdefault("cache-control", "private, no-store")
        await self._send(message)

    async def answer_broken(self, receive: Receive) -> None:
        if self._status:
            # The head is out; closing the connection short is the only honest thing left.
            return
        request = Request(self._scope)
        accept = request.headers.get("accept", "")
        reply = problem_response(Broken(), surface=surface_of(request), accept=accept)
        await reply(self._scope, receive, self.send)

    def record(self, span: trace.Span) -> None:
        method, path = self._scope["method"], self._scope["path"]
        route = getattr(self._scope.get("route"), "path", "unmatched")
        seconds = time.perf_counter() - self._started_at
        HTTP_REQUESTS.labels(method, route, self._status).inc()
        HTTP_SECONDS.labels(method, route).observe(seconds)
        span.update_name(f"{method} {route}")
        span.set_attribute("http.response.status_code", self._status)
        if not path.startswith(_QUIET_PREFIX):
            log.info(
                "request_answered",
                method=method,
                path=path,
                status=self._status,
                milliseconds=round(seconds * 1000, 1),
            )
