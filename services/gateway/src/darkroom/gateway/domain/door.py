"""Who may hold a connection: a count in all and by address, and whether the process is leaving."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from darkroom.gateway.domain.address import Network, is_trusted
from darkroom.gateway.domain.framing import HeadLimits


class Held(Protocol):
    """A connection as the doorkeeper sees it."""

    @property
    def is_idle(self) -> bool: ...

    def dismiss(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DoorRules:
    """The limits a connection is held to; times in seconds."""

    head: HeadLimits
    head_seconds: float
    body_bytes_per_second: int
    body_grace_seconds: int
    body_seconds: float
    reply_bytes_per_second: int
    reply_grace_seconds: int
    connections: int
    connections_per_address: int
    trusted_proxies: tuple[Network, ...] = ()


@dataclass(slots=True)
class Doorkeeper:
    """Count the open connections of one process."""

    rules: DoorRules
    is_draining: bool = False
    _held: dict[Held, str] = field(default_factory=dict)
    _by_address: Counter[str] = field(default_factory=Counter)

    def admit(self, connection: Held, address: str) -> bool:
        """Take a connection in, or tell that its address holds too many.

        A proxy we trust speaks for many and is not counted. When the process is full, the oldest
        idle connection gives way; when none is idle, the one that asks does.
        """
        is_proxy = is_trusted(address, self.rules.trusted_proxies)
        if not is_proxy and self._by_address[address] >= self.rules.connections_per_address:
            return False
        if len(self._held) >= self.rules.connections and not self._make_room():
            return False
        self._held[connection] = address
        self._by_address[address] += 1
        return True

    def release(self, connection: Held) -> None:
        """Forget a connection; one that was never taken in is no concern."""
        address = self._held.pop(connection, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def _make_room(self) -> bool:
        idle = next((connection for connection in self._held if connection.is_idle), None)
        if idle is None:
            return False
        self.release(idle)
        idle.dismiss()
        return True
