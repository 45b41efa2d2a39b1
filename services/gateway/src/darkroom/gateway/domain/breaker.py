"""Do not knock at a door nobody opens: refuse at once, and try again after a moment."""

from dataclasses import dataclass
from typing import Final

# One failure may be chance; three in a row are a service that is away.
FAILURES_TO_OPEN: Final = 3
# Short, because a restarting service is back within a second and the refusal is ours alone.
OPEN_SECONDS: Final = 0.5


@dataclass(slots=True)
class Breaker:
    """Count failures to connect in a row; time comes in as monotonic seconds."""

    failures: int = 0
    retry_at: float = 0.0

    def admits(self, now: float) -> bool:
        """Tell whether to try. While open, one caller per interval is let through as a probe."""
        if self.failures < FAILURES_TO_OPEN:
            return True
        if now < self.retry_at:
            return False
        self.retry_at = now + OPEN_SECONDS
        return True

    def connected(self) -> None:
        """Note that the service was reached, whatever it answered."""
        self.failures = 0

    def refused(self, now: float) -> None:
        """Note that the service could not be reached."""
        self.failures += 1
        self.retry_at = now + OPEN_SECONDS
