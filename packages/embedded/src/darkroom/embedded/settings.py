"""What the person who starts the platform may set, from `DARKROOM_…`."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from darkroom.embedded.ports import LOOPBACK, localhost


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class EmbeddedSettings(BaseSettings):
    """Say where state lives, where the gateway answers, and how many processors develop."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_", frozen=True)

    home: Path = Path(".darkroom")
    port: int = Field(default=8787, ge=1, le=65_535)
    # Left alone, the names and addresses of this machine's own loopback.
    host: str = Field(default_factory=localhost)
    public_url: str | None = None
    admin_email: str = "admin@example.com"
    processors: int = Field(default_factory=usable_cores, ge=1, le=256)

    @property
    def base_url(self) -> str:
        """Return the public base of every URL."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def local_url(self) -> str:
        """Return where this machine reaches the gateway, whatever the public address is."""
        host = LOOPBACK if self.host in {"localhost", "0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{host}:{self.port}"
