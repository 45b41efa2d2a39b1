"""Bring a database to the newest revision; a service keeps `versions/` only, the rest is here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

# Any constant does, as long as nobody else takes it: "darkroom" in ASCII, as a 64-bit number.
_LOCK_KEY: Final = int.from_bytes(b"darkroom")
# A migration that cannot have its table lock must not queue all traffic behind it.
_LOCK_TIMEOUT: Final = "5s"
_POLL_SECONDS: Final = 0.1
_TRY_LOCK: Final = text("SELECT pg_try_advisory_lock(:key)")


def upgrade(script_location_package: str, dsn: str) -> None:
    """Upgrade to the newest revision of `{package}/versions`; a no-op when already there.

    Several processes may start it at once: they take turns. Must not be called inside a running
    event loop; use `asyncio.to_thread` there.
    """
    asyncio.run(_upgrade(_config(script_location_package), dsn))


def _config(package: str) -> Config:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        message = f"not a package: {package}"
        raise ModuleNotFoundError(message)
    versions = Path(next(iter(spec.submodule_search_locations))) / "versions"
    config = Config()
    config.set_main_option("script_location", str(files("darkroom.platform.db") / "migrations"))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    return config


async def _upgrade(config: Config, dsn: str) -> None:
    engine = create_async_engine(
        dsn, poolclass=NullPool, connect_args={"server_settings": {"lock_timeout": _LOCK_TIMEOUT}}
    )
    try:
        async with _turn(engine), engine.connect() as connection:
            await connection.run_sync(_run, config)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _turn(engine: AsyncEngine) -> AsyncIterator[None]:
    # Asked for again and again rather than waited for: a waiting statement holds a snapshot, and
    # CREATE INDEX CONCURRENTLY of the process whose turn it is would wait for that one.
    async with engine.connect() as guard:
        await guard.execution_options(isolation_level="AUTOCOMMIT")
        # What ends the wait happens in another process, so there is no event to wait for.
        while not await guard.scalar(_TRY_LOCK, {"key": _LOCK_KEY}):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        yield


def _run(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
