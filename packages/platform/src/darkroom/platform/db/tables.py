"""Rules every table follows: how constraints are named, how times are kept."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, DateTime, MetaData, func

# Alembic can only drop a constraint whose name it knows.
_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def metadata() -> MetaData:
    """Make the collection of a service's tables, with our naming rules."""
    return MetaData(naming_convention=_NAMES)


def instant(name: str, *, nullable: bool = False) -> Column[datetime]:
    """Make a column for a moment in time, zone included."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def recorded_at(name: str = "created_at") -> Column[datetime]:
    """Make a column the server fills with the time the row's transaction began."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
