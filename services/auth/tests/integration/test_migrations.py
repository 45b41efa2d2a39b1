from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from darkroom.auth.store.tables import METADATA
from darkroom.testing.fixtures.stores import DatabaseFactory


def differences(connection: Connection) -> object:
    return compare_metadata(MigrationContext.configure(connection), METADATA)


async def test_the_migrations_make_exactly_the_tables_the_code_speaks_of(
    database: DatabaseFactory,
) -> None:
    engine = create_async_engine(await database("auth"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
