"""Test databases: made from a template that each service's migrations have run on, once."""

import asyncio
import secrets
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from darkroom.embedded.ports import LOOPBACK
from darkroom.embedded.servers.postgres import SUPERUSER

# Roles of tests only; they reach what they own on a server that ends with the run.
_PASSWORD: Final = "testing"  # noqa: S105
_NO_SERVICE: Final = "nobody"
_CONNECT_SECONDS: Final = 20.0


class Databases:
    """Make and drop databases on the run's PostgreSQL; safe from several workers at once."""

    def __init__(self, port: int, superuser_password: str) -> None:
        self._port = port
        self._superuser_password = superuser_password

    async def create(self, service: str | None) -> tuple[str, str]:
        """Make a database; return its name and the DSN of the role that owns it."""
        role = service or _NO_SERVICE
        name = f"{role}_{secrets.token_hex(6)}"
        async with self._superuser() as connection:
            template = await self._template(connection, service, role)
            await connection.execute(
                f'CREATE DATABASE "{name}" OWNER "{role}" TEMPLATE "{template}"'
            )
        return name, self._dsn(role, name)

    async def drop(self, name: str) -> None:
        """Drop a database, ending whatever is still connected to it."""
        async with self._superuser() as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _template(
        self, connection: "asyncpg.Connection[asyncpg.Record]", service: str | None, role: str
    ) -> str:
        """Return the role's template, made by whoever comes first while the others wait."""
        template = f"{role}_template"
        lock = zlib.crc32(template.encode())
        await connection.execute("SELECT pg_advisory_lock($1)", lock)
        try:
            # The comment is the mark that the migrations went through to the end.
            made = await connection.fetchval(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1",
                template,
            )
            if made is None:
                await self._make_template(connection, service, role, template)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
        return template

    async def _make_template(
        self,
        connection: "asyncpg.Connection[asyncpg.Record]",
        service: str | None,
        role: str,
        template: str,
    ) -> None:
        await connection.execute(f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{_PASSWORD}'")
        await connection.execute(f'CREATE DATABASE "{template}" OWNER "{role}"')
        if service is not None:
            await _migrate(service, self._dsn(role, template))
        await connection.execute(f"COMMENT ON DATABASE \"{template}\" IS 'migrated'")

    @asynccontextmanager
    async def _superuser(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await asyncpg.connect(
            host=LOOPBACK,
            port=self._port,
            user=SUPERUSER,
            password=self._superuser_password,
            database=SUPERUSER,
            timeout=_CONNECT_SECONDS,
            ssl=False,
        )
        try:
            yield connection
        finally:
            await connection.close()

    def _dsn(self, role: str, database: str) -> str:
        return f"postgresql+asyncpg://{role}:{_PASSWORD}@{LOOPBACK}:{self._port}/{database}"


async def _migrate(service: str, dsn: str) -> None:
    # Alembic only comes with a test that needs a migrated database.
    from darkroom.platform.db.migrate import upgrade  # noqa: PLC0415

    await asyncio.to_thread(upgrade, f"darkroom.{service}.store.migrations", dsn)
