"""Upload to ready, as a client sees it, beside the develop job's own compute time.

Starts the whole platform, uploads one 12-megapixel JPEG again and again on an otherwise idle
machine, and polls until each image is ready. The aim is a p50 of at most compute + 40 ms from the
acknowledgement of the upload to `ready`.

    python -m benchmarks.latency --rounds 30
"""

import argparse
import asyncio
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import aiohttp

from darkroom.testing import pictures
from darkroom.testing.stack import Partr, free_port, start_stack, stop_stack

# Polling costs both cores a little; it starts only shortly before the result is due.
POLL_SECONDS = 0.001
EARLY = 0.92


@dataclass(frozen=True)
class Round:
    """Milliseconds of one upload: from the first byte, from the acknowledgement, in the child."""

    from_start: float
    from_acknowledgement: float
    compute: float

    @property
    def overhead(self) -> float:
        """What the platform adds to the pixels' own time."""
        return self.from_acknowledgement - self.compute


async def measure(partr: Partr, picture: bytes, expected_ms: float) -> Round:
    """Upload once and wait until ready."""
    started = time.perf_counter()
    reply = await partr.upload(picture)
    acknowledged = time.perf_counter()
    if reply.status != HTTPStatus.CREATED:
        raise SystemExit(f"upload answered {reply.status}: {reply.body.decode()}")
    path = f"/api/v1/images/{reply.json()['image_id']}"
    await asyncio.sleep(expected_ms * EARLY / 1000)
    while True:
        image = (await partr.call("GET", path)).json()
        ready = time.perf_counter()
        if image["status"] == "ready":
            break
        if image["status"] == "failed":
            raise SystemExit(f"the image failed: {image['error']}")
        await asyncio.sleep(POLL_SECONDS)
    return Round(
        (ready - started) * 1000, (ready - acknowledged) * 1000, image["processing_duration_ms"]
    )


async def run(base_url: str, key: str, rounds: int) -> list[Round]:
    """Measure one upload after the other; the first three only warm the processes."""
    picture = pictures.photograph()
    results: list[Round] = []
    async with aiohttp.ClientSession() as http:
        partr = Partr(http, base_url, key)
        expected = 0.0
        for _ in range(rounds + 3):
            results.append(await measure(partr, picture, expected))
            expected = min(r.from_acknowledgement for r in results)
    return results[3:]


def quantile(values: list[float], share: float) -> float:
    """Return the value below which the share of the values lies."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def report(results: list[Round]) -> None:
    """Print one line a measure."""
    now = datetime.now(UTC).strftime("%Y-%m-%d")
    print(f"{now}  {platform.machine()}, Python {platform.python_version()}, {len(results)} rounds")
    for label, values in {
        "develop compute": [r.compute for r in results],
        "acknowledged -> ready": [r.from_acknowledgement for r in results],
        "added by the platform": [r.overhead for r in results],
        "first byte -> ready": [r.from_start for r in results],
    }.items():
        p50, p95 = statistics.median(values), quantile(values, 0.95)
        print(f"{label:24}  p50 {p50:7.1f} ms   p95 {p95:7.1f} ms")


def main() -> None:
    """Start a platform of our own, measure, and end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="darkroom-latency-") as folder:
        stack = start_stack(Path(folder) / "home", free_port())
        try:
            report(asyncio.run(run(stack.base_url, stack.key, rounds)))
        finally:
            stop_stack(stack.process)


if __name__ == "__main__":
    main()
