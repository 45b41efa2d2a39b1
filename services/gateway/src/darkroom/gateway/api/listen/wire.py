"""A transport that says goodbye properly: what the client still sends is read before the end."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

# Closing with unread bytes makes the kernel reset the connection, and the reply may be lost on its
# way. Two seconds are many round trips; whoever still sends then has not read the reply anyway.
LINGER_SECONDS: Final = 2.0


class LingeringWire:
    """Stand in for a transport. Closing sends the end of our side and waits for the other's."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        must_linger: Callable[[], bool],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._transport = transport
        self._must_linger = must_linger
        self._loop = loop
        self._deadline: asyncio.TimerHandle | None = None
        # Bound once: these are called for every piece, and a layer of calls would show.
        self.write: Callable[[bytes], None] = transport.write
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info: Callable[..., Any] = transport.get_extra_info
        self.written_bytes = 0

    @property
    def is_lingering(self) -> bool:
        """Tell whether our side has ended and the other's has not."""
        return self._deadline is not None

    def is_closing(self) -> bool:
        """Tell whether nothing more may be written."""
        return self._deadline is not None or self._transport.is_closing()

    @property
    def buffered_bytes(self) -> int:
        """Return how much was written and is not with the kernel yet."""
        return self._transport.get_write_buffer_size()

    def count_written(self) -> None:
        """Count what is written from here on; replies nobody needs to watch go without."""
        self.write = self._count_and_write

    def _count_and_write(self, piece: bytes) -> None:
        self.written_bytes += len(piece)
        self._transport.write(piece)

    def close(self) -> None:
        """End the connection once what was written is sent, lingering where it must."""
        if self.is_closing():
            return
        if not self._must_linger() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._deadline = self._loop.call_later(LINGER_SECONDS, self._transport.abort)
        self._transport.write_eof()
        # Reading stopped when our buffer was full; what comes is thrown away from here on.
        self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def lost(self) -> None:
        """Note that the connection is gone."""
        if self._deadline is not None:
            self._deadline.cancel()
