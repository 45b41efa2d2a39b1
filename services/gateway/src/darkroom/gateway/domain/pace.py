"""How slowly a body may arrive: a window over the seconds in which the client could have sent."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pace:
    """Judge one body. The window is also the grace: nobody is judged before it is full.

    Seconds in which we did not read are left out by the caller; they are not the client's.
    """

    bytes_per_second: int
    window_seconds: int
    _received: deque[int] = field(default_factory=deque)

    def second_passed(self, received_bytes: int) -> None:
        """Note what one second brought."""
        self._received.append(received_bytes)
        if len(self._received) > self.window_seconds:
            self._received.popleft()

    @property
    def is_too_slow(self) -> bool:
        """Tell whether a full window brought less than it must."""
        is_full = len(self._received) == self.window_seconds
        return is_full and sum(self._received) < self.bytes_per_second * self.window_seconds
