import asyncio
import os
from pathlib import Path

import asyncpg
import psutil
import pytest

from darkroom.embedded.errors import ProgramFailed
from darkroom.embedded.identity import Identity
from darkroom.embedded.ports import free_port
from darkroom.embedded.servers.nats import Nats
from darkroom.embedded.servers.postgres import FLEETING, SUPERUSER, Postgres
from darkroom.embedded.servers.program import Program, running
from darkroom.embedded.servers.s3 import S3


@pytest.fixture
def postgres(tmp_path: Path) -> Postgres:
    roles = {"auth": "a-password", "catalog": "c-password"}
    return Postgres(tmp_path / "postgres", free_port(), "s-password", roles, tuning=FLEETING)


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_role_reaches_its_own_database_only(postgres: Postgres, tmp_path: Path) -> None:
    async with running(postgres, tmp_path / "log"):
        assert await ask(postgres.dsn("auth"), "SELECT current_user") == "auth"
        for database in ("catalog", "postgres", "template1"):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await ask(postgres.dsn("auth", database=database), "SELECT 1")
        wrong = postgres.dsn("auth").replace("a-password", "wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(wrong, "SELECT 1")


async def test_the_cluster_checks_its_pages_and_syncs_its_log(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "s-password")
    async with running(server, tmp_path / "log"):
        dsn = server.dsn(SUPERUSER)
        assert await ask(dsn, "SHOW data_checksums") == "on"
        assert await ask(dsn, "SHOW fsync") == "on"
        assert await ask(dsn, "SHOW synchronous_commit") == "on"


async def test_data_and_passwords_survive_a_restart(postgres: Postgres, tmp_path: Path) -> None:
    async with running(postgres, tmp_path / "log"):
        await ask(postgres.dsn("auth"), "CREATE TABLE kept AS SELECT 7 AS number")
    async with running(postgres, tmp_path / "log"):
        assert await ask(postgres.dsn("auth"), "SELECT number FROM kept") == 7


async def test_a_pid_file_that_names_a_stranger_does_not_keep_it_from_starting(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with running(postgres, tmp_path / "log"):
        pass
    (postgres.directory / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.directory}\n")
    async with running(postgres, tmp_path / "log"):
        assert await ask(postgres.dsn("auth"), "SELECT 1") == 1


async def test_half_a_cluster_is_made_again(postgres: Postgres, tmp_path: Path) -> None:
    draft = tmp_path / "postgres.draft"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    async with running(postgres, tmp_path / "log"):
        assert await ask(postgres.dsn("auth"), "SELECT 1") == 1
    assert not draft.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
async def test_root_without_user_namespaces_runs_it_as_another_user(tmp_path: Path) -> None:
    # The directory above is closed to everybody else.
    server = Postgres(
        tmp_path / "postgres", free_port(), "s-password", identity=Identity("drop:1:1", 1, 1)
    )
    async with running(server, tmp_path / "log") as child:
        assert psutil.Process(child.pid).uids().real == 1
        assert await ask(server.dsn(SUPERUSER), "SELECT 1") == 1
    # And back, as after an update of the system.
    again = Postgres(server.directory, server.port, "s-password", tuning=FLEETING)
    async with running(again, tmp_path / "log"):
        assert await ask(server.dsn(SUPERUSER), "SELECT 1") == 1


@pytest.mark.parametrize("kind", ["postgres", "nats", "s3"])
async def test_a_server_that_cannot_start_shows_its_last_words(tmp_path: Path, kind: str) -> None:
    listener = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    servers: dict[str, Program] = {
        "postgres": Postgres(tmp_path / "postgres", port, "s-password", tuning=FLEETING),
        "nats": Nats(tmp_path / "nats", port, "user", "password"),
        "s3": S3(tmp_path / "s3", port, "accesskey", "secretkey"),
    }
    with pytest.raises(ProgramFailed, match=r"[aA]ddress already in use"):
        async with running(servers[kind], tmp_path / "log"):
            pass
    listener.close()


async def test_a_wrong_password_opens_no_broker(tmp_path: Path) -> None:
    server = Nats(tmp_path / "nats", free_port(), "user", "password")
    async with running(server, tmp_path / "log"):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await reader.readline()
        writer.write(b'CONNECT {"user": "user", "pass": "wrong"}\r\nPING\r\n')
        assert b"Authorization Violation" in await reader.readline()
        writer.close()
