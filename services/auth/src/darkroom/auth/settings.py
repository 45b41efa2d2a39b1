"""The settings of auth, from `AUTH_…`."""

from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from darkroom.platform.settings import (
    NatsSettings,
    PassportSettings,
    PostgresSettings,
    ServiceSettings,
)


class AuthSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="AUTH_", populate_by_name=True)

    postgres: PostgresSettings
    nats: NatsSettings = NatsSettings()
    passport: PassportSettings
    # Both files are made, with mode 0600, where they are absent.
    session_key_file: Path
    pepper_file: Path
    # Whoever signs up with this address becomes an administrator.
    admin_email: str | None = Field(
        default=None, validation_alias=AliasChoices("AUTH_ADMIN_EMAIL", "DARKROOM_ADMIN_EMAIL")
    )
