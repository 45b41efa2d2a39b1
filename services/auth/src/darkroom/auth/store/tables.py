"""The tables of auth. No column holds a password, key or token from which it could be had back."""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from darkroom.platform.db.tables import instant, metadata
from darkroom.platform.messaging.outbox import outbox_table

METADATA: Final = metadata()

# The `_key` columns hold the canonical form; their uniqueness is what makes a name taken.
accounts: Final = Table(
    "accounts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False, unique=True),
    Column("username", Text, nullable=False),
    Column("username_key", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("age_confirmed", Boolean, nullable=False),
    Column("role", Text, nullable=False),
    Column("plan", Text, nullable=False),
    instant("created_at"),
    instant("suspended_at", nullable=True),
)

api_keys: Final = Table(
    "api_keys",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("last_used_at", nullable=True),
    instant("revoked_at", nullable=True),
    Index(None, "account_id"),
)

sessions: Final = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id"), nullable=False),
    instant("created_at"),
    instant("revoked_at", nullable=True),
    Index(None, "account_id"),
)

refresh_tokens: Final = Table(
    "refresh_tokens",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("session_id", Uuid, ForeignKey("sessions.id"), nullable=False),
    Column("parent_id", Uuid, ForeignKey("refresh_tokens.id")),
    Column("digest", LargeBinary, nullable=False, unique=True),
    instant("created_at"),
    instant("expires_at"),
    instant("superseded_at", nullable=True),
    Index(None, "session_id"),
)

outbox: Final = outbox_table(METADATA)
