"""The catalog's settings, read once at the entry."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, PositiveFloat, PositiveInt

from darkroom.platform.settings import (
    NatsSettings,
    PassportSettings,
    PostgresSettings,
    S3Settings,
    ServiceSettings,
)


class Role(StrEnum):
    """What one process does; it may do several at once."""

    SERVE = "serve"
    RELAY = "relay"
    WORK = "work"
    SWEEP = "sweep"


def _without_slash(url: str) -> str:
    return url.rstrip("/")


class CatalogSettings(ServiceSettings, env_prefix="CATALOG_", populate_by_name=True):
    postgres: PostgresSettings
    nats: NatsSettings = NatsSettings()
    s3: S3Settings
    passport: PassportSettings
    # The secret that private links are signed with, in hexadecimal; made where there is none.
    capability_key_file: Path
    public_url: Annotated[str, AfterValidator(_without_slash)] = Field(
        default="http://localhost:8787",
        validation_alias=AliasChoices("CATALOG_PUBLIC_URL", "DARKROOM_PUBLIC_URL"),
    )
    # Results of one process applied side by side; each takes a database connection.
    work_concurrency: PositiveInt = 2
    # A lost job is found within this time after its deadline. Past 55 s none is looked for while
    # others wait in their lane: nobody could tell which of them were sent late.
    sweep_interval_seconds: PositiveFloat = 10.0
    # Listing a bucket costs a request a thousand objects: once an hour is cheap for a million.
    tidy_interval_seconds: PositiveFloat = 3_600.0
