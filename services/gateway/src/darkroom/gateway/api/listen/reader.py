"""How fast a client takes its replies: only what its side has acknowledged counts."""

import asyncio
import fcntl
import sys
import termios
from typing import Final

from darkroom.gateway.api.listen.alarm import Alarm
from darkroom.gateway.api.listen.wire import LingeringWire
from darkroom.gateway.domain.door import DoorRules
from darkroom.gateway.domain.pace import Pace
from darkroom.platform.telemetry.logs import get_logger

_SECOND: Final = 1.0
_INT_BYTES: Final = 4

log = get_logger()


class ReaderWatch:
    """Cut a connection whose client has made us wait and reads on too slowly."""

    def __init__(
        self, wire: LingeringWire, rules: DoorRules, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._wire = wire
        self._rules = rules
        self._alarm = Alarm(loop)
        self._pace: Pace | None = None
        self._taken_bytes = 0

    def start(self) -> None:
        """Start a clock, unless one runs; it stops by itself once the client has caught up."""
        if self._pace is not None:
            return
        self._wire.count_written()
        self._pace = Pace(self._rules.reply_bytes_per_second, self._rules.reply_grace_seconds)
        self._taken_bytes = self._count_taken()
        self._alarm.start(_SECOND, self._second_passed)

    def stop(self) -> None:
        """Forget the client."""
        self._alarm.stop()
        self._pace = None

    def _second_passed(self) -> None:
        if self._pace is None or not self._wire.buffered_bytes:
            # With nothing of ours left to write, whoever is late is not the client.
            self._pace = None
            return
        before, self._taken_bytes = self._taken_bytes, self._count_taken()
        self._pace.second_passed(self._taken_bytes - before)
        if self._pace.is_too_slow:
            log.info("slow_reader_cut")
            self._wire.abort()
        else:
            self._alarm.start(_SECOND, self._second_passed)

    def _count_taken(self) -> int:
        wire = self._wire
        return wire.written_bytes - wire.buffered_bytes - _unacknowledged_bytes(wire)


def _unacknowledged_bytes(wire: LingeringWire) -> int:
    """Return what the kernel holds for the client: megabytes, taken from us in large lumps.

    Where the system does not tell, the lumps are all there is to go by.
    """
    answer = bytearray(_INT_BYTES)
    try:
        fcntl.ioctl(wire.get_extra_info("socket").fileno(), termios.TIOCOUTQ, answer)
    except (OSError, ValueError):
        return 0
    return int.from_bytes(answer, sys.byteorder)
