"""Small settings fragments a service composes; units are in the names."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Fragment(BaseModel):
    """A frozen group of settings; nested by two underscores in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HTTPSettings(Fragment):
    """Say where a process listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)


class PostgresSettings(Fragment):
    """Reach one database; the DSN is `postgresql+asyncpg://role:password@host:port/database`.

    The pool waits `acquire_timeout_seconds` for a connection; the server ends a statement after
    `statement_timeout_seconds` and gives up on a lock after `lock_timeout_seconds`.
    """

    dsn: SecretStr
    pool_size: PositiveInt = 8
    acquire_timeout_seconds: PositiveFloat = 2.0
    connect_timeout_seconds: PositiveFloat = 3.0
    statement_timeout_seconds: PositiveFloat = 5.0
    lock_timeout_seconds: PositiveFloat = 2.0


class NatsSettings(Fragment):
    """Reach the broker; `servers` is a comma-separated list of `nats://` addresses."""

    servers: str = "nats://127.0.0.1:4222"
    user: str | None = None
    password: SecretStr | None = None


class S3Settings(Fragment):
    """Reach the object store; `public_endpoint` is what presigned URLs are signed for."""

    endpoint: str
    public_endpoint: str | None = None
    region: str = "us-east-1"
    bucket: str = "darkroom"
    access_key: str
    secret_key: SecretStr


class PassportSettings(Fragment):
    """Say where the gateway publishes the keys that verify passports."""

    keys_url: str


class TelemetrySettings(Fragment):
    """Shape logs and traces; without an OTLP endpoint no span leaves the process."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str | None = None


class ServiceSettings(BaseSettings):
    """Base of each service's one settings class; subclasses name their `env_prefix`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_nested_delimiter="__")

    http: HTTPSettings = HTTPSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
