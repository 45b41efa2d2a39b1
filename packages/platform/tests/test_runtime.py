import asyncio
import os
import signal
import subprocess
import sys

import pytest

from darkroom.embedded.supervisor import STOP_SECONDS
from darkroom.platform.messaging import consumer
from darkroom.platform.runtime import (
    EXIT_SOFTWARE,
    REQUEST_DRAIN_SECONDS,
    ROLE_DRAIN_SECONDS,
    background,
)
from darkroom.testing.stack import free_port

BROKEN_ROLE = """
import asyncio
from darkroom.platform.runtime import background

async def broken(stop):
    raise ValueError("no")

async def main():
    async with background({"broken": broken}):
        await asyncio.sleep(10)

asyncio.run(main())
"""

SLOW_APP = """
import asyncio, sys
from contextlib import asynccontextmanager
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service
from darkroom.platform.runtime import serve
from darkroom.platform.settings import HTTPSettings

def create_app():
    @asynccontextmanager
    async def lifespan(app):
        yield
    app = build_service("slow", readiness=Readiness(), lifespan=lifespan)
    @app.get("/slow")
    async def slow():
        print("busy", flush=True)
        await asyncio.sleep(1)
        return {"done": True}
    return app

serve(create_app, HTTPSettings(port=int(sys.argv[1])))
"""

STUBBORN_APP = """
import asyncio, sys
from contextlib import asynccontextmanager
from darkroom.platform.http.health import Readiness
from darkroom.platform.http.service import build_service
from darkroom.platform.runtime import background, serve
from darkroom.platform.settings import HTTPSettings

async def stubborn(stop):
    await asyncio.Event().wait()

def create_app():
    @asynccontextmanager
    async def lifespan(app):
        async with background({"stubborn": stubborn}):
            yield
    app = build_service("stubborn", readiness=Readiness(), lifespan=lifespan)
    @app.get("/endless")
    async def endless():
        print("busy", flush=True)
        await asyncio.Event().wait()
    return app

serve(create_app, HTTPSettings(port=int(sys.argv[1])))
"""


async def test_a_role_is_asked_to_stop_and_waited_for() -> None:
    stopped = asyncio.Event()

    async def role(stop: asyncio.Event) -> None:
        await stop.wait()
        stopped.set()

    async with background({"role": role}):
        await asyncio.sleep(0)
    assert stopped.is_set()


async def test_a_role_that_does_not_stop_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def stubborn(_stop: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with background({"stubborn": stubborn}, drain_seconds=0.01):
        await asyncio.sleep(0)
    assert cancelled.is_set()


def test_a_role_that_breaks_ends_its_process() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN_ROLE], check=False, timeout=30)
    assert done.returncode == EXIT_SOFTWARE


def test_h_07_a_request_under_way_is_finished_after_sigterm() -> None:
    unused_port = free_port()
    command = [sys.executable, "-c", SLOW_APP, str(unused_port)]
    fetch = (
        "import time, urllib.request as u\n"
        "for _ in range(100):\n"
        "    try:\n"
        f"        print(u.urlopen('http://127.0.0.1:{unused_port}/slow', timeout=10).read())\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.1)\n"
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        with subprocess.Popen([sys.executable, "-c", fetch], stdout=subprocess.PIPE) as client:
            assert server.stdout is not None
            while "busy" not in server.stdout.readline():
                pass
            os.kill(server.pid, signal.SIGTERM)
            out, _ = client.communicate(timeout=20)
        assert server.wait(timeout=20) in {0, -signal.SIGTERM}
    assert b'{"done":true}' in out


def test_the_times_to_leave_add_up_to_less_than_anybody_waits_before_killing() -> None:
    connections_close = 2
    assert REQUEST_DRAIN_SECONDS + ROLE_DRAIN_SECONDS + connections_close < STOP_SECONDS
    assert consumer._DRAIN_SECONDS < ROLE_DRAIN_SECONDS


@pytest.mark.slow
def test_h_07_requests_and_roles_that_never_end_do_not_keep_a_process() -> None:
    unused_port = free_port()
    command = [sys.executable, "-c", STUBBORN_APP, str(unused_port)]
    # Asks until the server is there, then waits for an answer that never comes.
    fetch = (
        "import time, urllib.request as u\n"
        "while True:\n"
        "    try:\n"
        f"        u.urlopen('http://127.0.0.1:{unused_port}/endless')\n"
        "    except OSError:\n"
        "        time.sleep(0.1)\n"
    )
    asking = [sys.executable, "-c", fetch]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
        subprocess.Popen(asking, stderr=subprocess.DEVNULL) as client,
    ):
        assert server.stdout is not None
        while "busy" not in server.stdout.readline():
            pass
        os.kill(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=STOP_SECONDS)
        finally:
            server.kill()
            client.kill()
