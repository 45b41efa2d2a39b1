"""A bounded memory of answers, each with the time until which it holds."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """Keep the most recently used answers; the clock gives seconds that only grow."""

    def __init__(self, *, capacity: int, clock: Callable[[], float]) -> None:
        self._capacity = capacity
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def recall(self, key: Key) -> Value | None:
        """Return the answer while it holds."""
        found = self._kept.get(key)
        if found is None:
            return None
        if found[0] <= self._clock():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return found[1]

    def keep(self, key: Key, value: Value, *, seconds: float) -> None:
        """Remember an answer; the one unused longest makes room."""
        self._kept[key] = (self._clock() + seconds, value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)

    def forget_where(self, matches: Callable[[Value], bool]) -> None:
        """Forget every answer that matches; the memory is bounded, so looking at all is cheap."""
        for key in [key for key, (_, value) in self._kept.items() if matches(value)]:
            del self._kept[key]

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
