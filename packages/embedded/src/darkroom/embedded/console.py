"""What the person at the terminal sees: few lines, each said once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_WIDTH: Final = 16


class Console:
    """Print progress with timings, and trouble loudly."""

    def say(self, text: str = "") -> None:
        """Print a line."""
        print(text, flush=True)

    def warn(self, text: str) -> None:
        """Print trouble that the platform deals with itself."""
        print(f"! {text}", flush=True)

    @contextmanager
    def step(self, name: str, remark: str = "") -> Iterator[None]:
        """Print a step with the time it took, once it is done."""
        started = time.monotonic()
        yield
        took = f"{time.monotonic() - started:6.1f} s"
        self.say(f"  {name:<{_WIDTH}}{took}{f'   {remark}' if remark else ''}")
