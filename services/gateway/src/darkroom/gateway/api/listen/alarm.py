"""One timer at a time."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Call back once, unless stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Tell whether a call is due."""
        return self._handle is not None

    def start(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back after so many seconds, in place of any earlier arrangement."""
        self.stop()
        self._handle = self._loop.call_later(seconds, self._ring, callback)

    def stop(self) -> None:
        """Do not call back."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self, callback: Callable[[], None]) -> None:
        self._handle = None
        callback()
