import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from darkroom.platform.db.migrate import upgrade
from darkroom.testing.fixtures.stores import DatabaseFactory

FIRST = """
from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("notes", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO notes VALUES (1)")
"""

SECOND = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_notes_id", "notes", ["id"], postgresql_concurrently=True)
"""

BROKEN = """
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    op.execute("SELECT nothing_of_that_name")
"""


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sample_migrations" / "versions"
    folder.mkdir(parents=True)
    (folder / "0001_notes.py").write_text(FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


async def test_upgrade_runs_what_is_missing_and_may_be_repeated(
    versions: Path, database: DatabaseFactory
) -> None:
    dsn = await database(None)
    await asyncio.to_thread(upgrade, "sample_migrations", dsn)
    (versions / "0002_index.py").write_text(SECOND)
    for _ in range(2):
        await asyncio.to_thread(upgrade, "sample_migrations", dsn)
    engine = create_async_engine(dsn)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "0002"
        assert await connection.scalar(text("SELECT count(*) FROM notes")) == 1
    await engine.dispose()


async def test_processes_that_start_together_take_turns(
    versions: Path, database: DatabaseFactory
) -> None:
    (versions / "0002_index.py").write_text(SECOND)
    dsn = await database(None)
    await asyncio.gather(*(asyncio.to_thread(upgrade, "sample_migrations", dsn) for _ in range(4)))
    engine = create_async_engine(dsn)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM notes")) == 1
    await engine.dispose()


async def test_failing_migration_leaves_the_one_before_it(
    versions: Path, database: DatabaseFactory
) -> None:
    (versions / "0002_index.py").write_text(SECOND)
    (versions / "0003_broken.py").write_text(BROKEN)
    dsn = await database(None)
    with pytest.raises(Exception, match="nothing_of_that_name"):
        await asyncio.to_thread(upgrade, "sample_migrations", dsn)
    engine = create_async_engine(dsn)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "0002"
        assert await connection.scalar(text("SELECT to_regclass('half')")) is None
    await engine.dispose()


def test_absent_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_migrations"):
        upgrade("no_such_migrations", "postgresql+asyncpg://nobody@127.0.0.1/nothing")
