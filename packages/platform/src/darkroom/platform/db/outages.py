"""Tell a database that is away from one that refuses; the first is always Unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from darkroom.platform.errors import Unavailable

# Classes of SQLSTATE that pass by themselves: lost connection, rolled back for a rival, out of
# resources, ended by an operator or a time-out, input or output error below the server.
_PASSING_CLASSES: Final = frozenset({"08", "40", "53", "57", "58"})
# A lock not had in time, two idle time-outs, and a server that is a standby just after a switch.
_PASSING_STATES: Final = frozenset({"55P03", "25P03", "25P04", "25006"})

# What opening a connection raises when the server is away, starting, full or refuses the role.
CONNECT_FAILURES: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def is_outage(error: BaseException) -> bool:
    """Tell whether an error says the server is away or busy rather than the statement wrong."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout):
        return True
    state = getattr(error, "sqlstate", None)
    if not isinstance(state, str):
        return False
    return state[:2] in _PASSING_CLASSES or state in _PASSING_STATES


def unavailable(error: BaseException) -> Unavailable:
    """Wrap a database failure; the cause is for the log only."""
    return Unavailable(dependency="postgres", cause=type(error).__name__, detail=str(error)[:200])


def raise_unavailable_on_outage(engine: AsyncEngine) -> None:
    """Make every statement, BEGIN and COMMIT of an engine raise Unavailable on an outage."""
    event.listen(engine.sync_engine, "handle_error", _translate)


@contextmanager
def outages_as_unavailable() -> Iterator[None]:
    """Map what never reaches a statement: no free connection in the pool in time."""
    try:
        yield
    except PoolTimeout as error:
        raise unavailable(error) from error


def _translate(context: ExceptionContext) -> BaseException | None:
    original = context.original_exception
    # A time-out on our side leaves a reply under way on the wire, so the connection is lost too.
    if isinstance(original, OSError | TimeoutError):
        context.is_disconnect = True
    if context.is_disconnect or is_outage(original):
        return unavailable(original)
    return None
