"""How much of one pool a single client may hold at a time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from darkroom.gateway.domain.errors import TooManyAtOnce


@dataclass(slots=True)
class Shares:
    """Count what each client holds; a client is known by the hash of its address."""

    each: int
    _held: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def hold(self, client: str) -> Iterator[None]:
        """Hold one more for as long as the block lasts; raises TooManyAtOnce beyond the share."""
        if self._held[client] >= self.each:
            raise TooManyAtOnce(held=self._held[client])
        self._held[client] += 1
        try:
            yield
        finally:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]
