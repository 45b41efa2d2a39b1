"""Health: liveness asks nobody, readiness asks what this process cannot work without."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from darkroom.platform.telemetry.logs import get_logger

# A probe that waits longer than its asker does is no use; kubelets give up after a few seconds.
CHECK_TIMEOUT_SECONDS: Final = 2.0

Check = Callable[[], Awaitable[None]]
log = get_logger()


@dataclass(slots=True)
class Readiness:
    """Collect named checks; a process is ready while each returns without raising."""

    checks: dict[str, Check] = field(default_factory=dict)
    draining: bool = False

    def add(self, name: str, check: Check) -> None:
        """Register a check under the dependency's name."""
        self.checks[name] = check

    async def report(self) -> dict[str, str]:
        """Run every check at once and return `ok` or `down` by name; never raises."""
        states = await asyncio.gather(*(self._state(*item) for item in self.checks.items()))
        report = dict(zip(self.checks, states, strict=True))
        if self.draining:
            report["process"] = "draining"
        return report

    @staticmethod
    async def _state(name: str, check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
                await check()
        except Exception as error:  # noqa: BLE001 - an edge: whatever a check raises means "down"
            log.warning("check_failed", check=name, error=repr(error))
            return "down"
        return "ok"
