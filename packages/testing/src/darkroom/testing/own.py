"""Servers of one test: the same port before and after a kill, a wipe or a restart."""

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from darkroom.embedded.children import Child, spawn
from darkroom.embedded.logs import ChildLog
from darkroom.embedded.ports import free_port
from darkroom.embedded.servers.nats import Nats
from darkroom.embedded.servers.postgres import FLEETING, Postgres
from darkroom.embedded.servers.program import Program, await_ready
from darkroom.embedded.servers.s3 import REGION, S3
from darkroom.platform.settings import NatsSettings, PostgresSettings, S3Settings


class OwnServer:
    """Run one server in the test's own loop, to be stopped and started at will."""

    def __init__(self, program: Program, directory: Path) -> None:
        self._program = program
        self.directory = directory
        self._log = ChildLog(directory.with_name(f"{program.name}.log"))
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        self._child = await spawn(await self._program.prepare(), self._log)
        await await_ready(self._program, self._child)
        await self._program.finish()

    async def stop(self) -> None:
        """Stop it in order."""
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def kill(self) -> None:
        """Kill it where it stands."""
        if self._child is not None:
            self._child.kill()
            await self._child.wait()
            self._child = None

    async def restart(self, *, after: Callable[[], None] | None = None) -> None:
        """Kill it, do something while it is away, start it again."""
        await self.kill()
        if after is not None:
            after()
        await self.start()

    async def wipe(self) -> None:
        """Kill it and start it again with nothing left on disk."""
        await self.restart(after=lambda: shutil.rmtree(self.directory))


class OwnNats(OwnServer):
    """Run a broker; it syncs nothing, for a kill loses nothing the kernel has."""

    def __init__(self, directory: Path) -> None:
        self._server = Nats(
            directory / "nats", free_port(), "tests", secrets.token_urlsafe(), is_durable=False
        )
        super().__init__(self._server, self._server.directory)

    @property
    def settings(self) -> NatsSettings:
        """Return how to reach it."""
        password = SecretStr(self._server.password)
        return NatsSettings(servers=self._server.url, user=self._server.user, password=password)


class OwnPostgres(OwnServer):
    """Run a PostgreSQL with the role and database `tests`, and others on demand."""

    def __init__(self, directory: Path, *roles: str) -> None:
        passwords = {role: secrets.token_urlsafe() for role in roles or ("tests",)}
        self._server = Postgres(
            directory / "postgres", free_port(), secrets.token_urlsafe(), passwords, tuning=FLEETING
        )
        super().__init__(self._server, self._server.directory)

    def dsn(self, role: str = "tests") -> str:
        """Return the address of a role's database."""
        return self._server.dsn(role)

    @property
    def settings(self) -> PostgresSettings:
        """Return how to reach the database `tests`."""
        return PostgresSettings(dsn=SecretStr(self.dsn()))


class OwnS3(OwnServer):
    """Run an object store."""

    def __init__(self, directory: Path) -> None:
        self._server = S3(directory / "s3", free_port(), "testing", secrets.token_urlsafe())
        super().__init__(self._server, self._server.directory)

    @property
    def settings(self) -> S3Settings:
        """Return how to reach it."""
        return S3Settings(
            endpoint=self._server.endpoint,
            region=REGION,
            bucket="tests",
            access_key=self._server.access_key,
            secret_key=SecretStr(self._server.secret_key),
        )
