"""The public port's connections: HTTP/1.1 with deadlines, limits and strict framing."""

import asyncio
from typing import Any, Final, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from darkroom.gateway.api.line import extension
from darkroom.gateway.api.listen.alarm import Alarm
from darkroom.gateway.api.listen.reader import ReaderWatch
from darkroom.gateway.api.listen.refuse import error_for_method, refusal_bytes, target_of
from darkroom.gateway.api.listen.wire import LingeringWire
from darkroom.gateway.domain.door import Doorkeeper
from darkroom.gateway.domain.errors import BadFraming
from darkroom.gateway.domain.framing import refuse_head, refuse_size, refuse_unfinished
from darkroom.gateway.domain.matching import RouteTable
from darkroom.gateway.domain.pace import Pace
from darkroom.platform.errors import ServiceError, TooSlow

# A client that kept its connection may have sent a request while we decided to leave: it is
# answered, with `Connection: close`. Longer than any round trip, short beside the drain.
FAREWELL_SECONDS: Final = 1.0
_SECOND: Final = 1.0


class GuardedConnection(HttpToolsProtocol):
    """One connection. Its rules are the app's: `app.doorkeeper`, `app.table`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        app: Any = config.loaded_app
        self._keeper: Doorkeeper = app.doorkeeper
        self._table: RouteTable = app.table
        self._rules = self._keeper.rules
        self._wire: LingeringWire
        self._in_head = self._in_body = self._is_refused = False
        self._fed_bytes = self._body_bytes = 0
        self._pace: Pace | None = None
        self._alarm = Alarm(self.loop)
        self._reader_watch: ReaderWatch
        self._body_deadline = 0.0
        self._refusal: ServiceError | None = None
        self._attended: asyncio.Task[object] | None = None

    @property
    def is_lost(self) -> bool:
        return self._wire.is_closing()

    @property
    def is_body_complete(self) -> bool:
        return not self._in_body

    def attend(self, task: asyncio.Task[object] | None) -> None:
        self._attended = task

    @property
    def is_idle(self) -> bool:
        return not (self._is_answering or self._in_head or self._in_body)

    def dismiss(self) -> None:
        self._wire.close()

    @property
    def _is_answering(self) -> bool:
        # There is no cycle before the first request, whatever the declared type says.
        return bool(self.cycle) and not self.cycle.response_complete

    def _has_unread(self) -> bool:
        return self._in_head or self._in_body or self._is_refused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._wire = LingeringWire(transport, must_linger=self._has_unread, loop=self.loop)
        self._reader_watch = ReaderWatch(self._wire, self._rules, self.loop)
        super().connection_made(cast("asyncio.Transport", self._wire))
        if not self._keeper.admit(self, self.client[0] if self.client else ""):
            transport.abort()
            return
        self._alarm.start(self._rules.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._keeper.release(self)
        self._alarm.stop()
        self._reader_watch.stop()
        self._wire.lost()
        super().connection_lost(exc)
        if self._attended is not None and self._is_answering:
            self._attended.cancel()

    def data_received(self, data: bytes) -> None:
        if self._is_refused or self._wire.is_lingering:
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # We never upgrade: the request is answered as it is, and is the connection's last.
            self.cycle.keep_alive = False
        except httptools.HttpParserInvalidMethodError:
            # The parser stops at the method, so the target is still in the bytes it was given.
            self.url = target_of(data)
            self._refuse(error_for_method(self._table, self.url))
        except httptools.HttpParserError:
            self._refuse(self._refusal or BadFraming())
        else:
            self._watch(len(data))

    def on_message_begin(self) -> None:
        self._in_head = True
        self._fed_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._alarm.stop()
        limits = self._rules.head
        self._raise_if(refuse_size(limits, url_bytes=len(self.url), headers=self.headers))
        self._raise_if(refuse_head(self.parser.get_http_version(), self.headers))
        if self.parser.get_method() == b"CONNECT":
            self._raise_if(error_for_method(self._table, self.url))
        self._in_head, self._in_body = False, True
        self.scope["extensions"] = cast("Any", extension(self))
        super().on_headers_complete()
        if self._keeper.is_draining:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        if self._pace is not None:
            self._pace = None
            self._alarm.stop()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader_watch.start()

    def shutdown(self) -> None:
        self._keeper.is_draining = True
        if self._is_answering and not self.cycle.response_started:
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(FAREWELL_SECONDS, self._farewell)

    def _farewell(self) -> None:
        if self.is_idle:
            self._wire.close()
        elif not self._wire.is_closing():
            self.loop.call_later(FAREWELL_SECONDS, self._farewell)

    def _should_upgrade(self) -> bool:
        return False

    def _raise_if(self, error: ServiceError | None) -> None:
        """End the parsing: out of a callback an error reaches us as the parser's own."""
        if error is not None:
            self._refusal = error
            raise error

    def _watch(self, fed_bytes: int) -> None:
        """Put a clock beside whatever has not arrived whole."""
        if self._in_head:
            # A header is reported at its end only; its bytes count from the first on.
            self._fed_bytes += fed_bytes
            late = refuse_unfinished(
                self._rules.head, url_bytes=len(self.url), fed_bytes=self._fed_bytes
            )
            if late is not None:
                self._refuse(late)
            elif not self._alarm.is_set:
                self._alarm.start(self._rules.head_seconds, self._head_is_late)
        elif self._in_body and self._pace is None:
            self._pace = Pace(self._rules.body_bytes_per_second, self._rules.body_grace_seconds)
            self._body_bytes = 0
            self._body_deadline = self.loop.time() + self._rules.body_seconds
            self._alarm.start(_SECOND, self._second_passed)

    def _head_is_late(self) -> None:
        if self._in_head:
            self._refuse(TooSlow())
        else:
            self._wire.close()

    def _second_passed(self) -> None:
        if self._pace is None or self._wire.is_closing():
            return
        # While we do not read, or have not asked for the body, the client cannot be late.
        if not self.flow.read_paused and not self.cycle.waiting_for_100_continue:
            self._pace.second_passed(self._body_bytes)
            self._body_bytes = 0
        if self._pace.is_too_slow or self.loop.time() >= self._body_deadline:
            self._refuse(TooSlow())
        else:
            self._alarm.start(_SECOND, self._second_passed)

    def _refuse(self, error: ServiceError) -> None:
        """Answer what cannot be read, unless an answer is under way; then that is the last one."""
        self._is_refused = True
        self._alarm.stop()
        if self._in_head and self._is_answering:
            self._wire.pause_reading()
            for cycle in (self.cycle, *(queued for queued, _ in self.pipeline)):
                cycle.keep_alive = False
            return
        if self._is_answering and (self.cycle.response_started or self.pipeline):
            self._wire.abort()
            return
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self._attended is not None:
                self._attended.cancel()
        self._wire.write(refusal_bytes(error, url=self.url, headers=self.headers))
        self._wire.close()
