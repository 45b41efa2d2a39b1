"""The process that runs the servers of a test run: `python -m darkroom.testing.host SOCKET`.

Each line it is sent names a server; the answer, one line of JSON, says how to reach it.
"""

import asyncio
import json
import secrets
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from darkroom.embedded.errors import StartError
from darkroom.embedded.ports import free_port
from darkroom.embedded.servers.nats import Nats
from darkroom.embedded.servers.postgres import FLEETING, Postgres
from darkroom.embedded.servers.program import Program, running
from darkroom.embedded.servers.s3 import REGION, S3

Address = Mapping[str, str | int]


class Host:
    """Start each server when first asked for, and end them together."""

    def __init__(self, directory: Path, stack: AsyncExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._lock = asyncio.Lock()
        self._addresses: dict[str, Address] = {}
        self._starters: Mapping[str, Callable[[], Awaitable[Address]]] = {
            "postgres": self._start_postgres,
            "nats": self._start_nats,
            "s3": self._start_s3,
        }

    async def address(self, name: str) -> Address:
        """Return how to reach a server, started if need be."""
        async with self._lock:
            if name not in self._addresses:
                self._addresses[name] = await self._starters[name]()
            return self._addresses[name]

    async def _start_postgres(self) -> Address:
        port, password = free_port(), secrets.token_urlsafe()
        # The roles are made by the tests themselves, beside the databases.
        every = ("host all all 127.0.0.1/32 scram-sha-256",)
        server = Postgres(
            self._directory / "postgres", port, password, extra_access=every, tuning=FLEETING
        )
        await self._run(server)
        return {"port": port, "password": password}

    async def _start_nats(self) -> Address:
        user, password = "tests", secrets.token_urlsafe()
        server = Nats(self._directory / "nats", free_port(), user, password, is_durable=False)
        await self._run(server)
        return {"url": server.url, "user": user, "password": password}

    async def _start_s3(self) -> Address:
        key, secret = "testing", secrets.token_urlsafe()
        server = S3(self._directory / "s3", free_port(), key, secret)
        await self._run(server)
        return {
            "endpoint": server.endpoint,
            "access_key": key,
            "secret_key": secret,
            "region": REGION,
        }

    async def _run(self, server: Program) -> None:
        log = self._directory / f"{server.name}.log"
        await self._stack.enter_async_context(running(server, log))


async def _answer(host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    name = (await reader.readline()).decode().strip()
    try:
        reply: Mapping[str, object] = await host.address(name)
    except StartError as error:
        reply = {"error": str(error)}
    writer.write(json.dumps(reply).encode() + b"\n")
    writer.close()


async def run(socket: Path) -> None:
    """Serve until SIGTERM, then end the servers and remove all they wrote."""
    stop = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, stop.set)
    try:
        async with AsyncExitStack() as stack:
            host = Host(socket.parent, stack)
            listener = await asyncio.start_unix_server(
                lambda reader, writer: _answer(host, reader, writer), socket
            )
            await stop.wait()
            listener.close()
    finally:
        shutil.rmtree(socket.parent, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
