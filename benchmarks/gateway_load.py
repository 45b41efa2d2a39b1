"""How the gateway's benchmark loads one target: wrk when there is one, else an own client."""

import asyncio
import os
import platform
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import uvloop

CONNECTIONS = 32
# Enough sequential calls for a steady p50, over in a second.
LOW_LOAD_CALLS = 1_000


@dataclass(frozen=True)
class Target:
    """One way to the same bytes."""

    name: str
    port: int
    path: str
    headers: dict[str, str]

    @property
    def request(self) -> bytes:
        lines = [f"GET {self.path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Figures:
    """Requests a second and milliseconds under load; milliseconds of one call at a time."""

    rate: float
    p50: float
    p99: float
    quiet_p50: float


async def _calls(target: Target, until: Callable[[int], bool]) -> list[float]:
    """Call over one connection, one after the other, until told to stop; return milliseconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    taken: list[float] = []
    while not until(len(taken)):
        started = time.perf_counter()
        writer.write(target.request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        await reader.readexactly(int(length[1]) if length else 0)
        taken.append((time.perf_counter() - started) * 1000)
        if b" 200 " not in head[:15]:
            raise SystemExit(f"{target.name} answered {head[:200]!r}")
    writer.close()
    return taken


async def _own_load(target: Target, seconds: float) -> tuple[float, float, float]:
    end = time.monotonic() + seconds
    clients = (_calls(target, lambda _: time.monotonic() > end) for _ in range(CONNECTIONS))
    taken = sorted(each for client in await asyncio.gather(*clients) for each in client)
    return len(taken) / seconds, statistics.median(taken), taken[int(len(taken) * 0.99)]


def _wrk_load(target: Target, seconds: float) -> tuple[float, float, float]:
    headers = [part for k, v in target.headers.items() for part in ("-H", f"{k}: {v}")]
    url = f"http://127.0.0.1:{target.port}{target.path}"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}", "--latency", *headers, url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{target.name} refused: {text}")
    found = {name: _milliseconds(text, name) for name in ("50%", "99%")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    return float(rate[1]) if rate else 0.0, found["50%"], found["99%"]


def _milliseconds(text: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]] if found else 0.0


def measure(target: Target, seconds: float) -> Figures:
    """Warm up, then measure one call at a time, then under load."""
    run = uvloop.run
    run(_calls(target, lambda done: done >= LOW_LOAD_CALLS // 4))
    quiet = run(_calls(target, lambda done: done >= LOW_LOAD_CALLS))
    load = _wrk_load(target, seconds) if shutil.which("wrk") else run(_own_load(target, seconds))
    return Figures(*load, statistics.median(quiet))


def report(figures: dict[str, Figures], upstream: str) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    load = "wrk" if shutil.which("wrk") else "own client, which bounds nginx and flatters the ratio"
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}")
    print(f"load average {os.getloadavg()[0]:.1f}; upstream {upstream}; {load},")
    print(f"{CONNECTIONS} connections; one nginx worker, one gateway process")
    print(f"{'':10}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'quiet p50 ms':>14}")
    for name, each in figures.items():
        line = f"{each.rate:>12.0f}{each.p50:>9.2f}{each.p99:>9.2f}{each.quiet_p50:>14.3f}"
        print(f"{name:10}{line}")
    added = figures["gateway"].quiet_p50 - figures["direct"].quiet_p50
    print(f"added p50 at low load: {added:.2f} ms (aim: at most 2)")
    if "nginx" in figures:
        ratio = figures["gateway"].rate / figures["nginx"].rate
        print(f"gateway / nginx: {ratio:.2f} (aim: at least 0.35)")
