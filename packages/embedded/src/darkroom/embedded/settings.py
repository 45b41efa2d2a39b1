"""What the person who starts the platform may set, from `DARKROOM_…`."""

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from darkroom.embedded.ports import LOOPBACK, localhost


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# A name, an @ and a host with a dot; auth judges the rest when it makes the account.
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class EmbeddedSettings(BaseSettings):
    """Say where state lives, where the gateway answers, and how many processors develop."""

    model_config = SettingsConfigDict(
        # Set to nothing counts as not set: an empty home would be the folder one stands in.
        env_prefix="DARKROOM_",
        frozen=True,
        env_ignore_empty=True,
    )

    home: Path = Path(".darkroom")
    port: int = Field(default=8787, ge=1, le=65_535)
    # Left alone, the names and addresses of this machine's own loopback.
    host: str = Field(default_factory=localhost)
    public_url: str | None = None
    admin_email: str = "admin@example.com"
    processors: int = Field(default_factory=usable_cores, ge=1, le=256)

    @field_validator("public_url")
    @classmethod
    def _is_base_url(cls, text: str | None) -> str | None:
        parts = urlsplit(text or "http://localhost")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write it as http://host or https://host")
        if parts.query or parts.fragment:
            raise ValueError("write it without ? and #")
        return text

    @field_validator("admin_email")
    @classmethod
    def _is_email(cls, text: str) -> str:
        if not _EMAIL.fullmatch(text):
            raise ValueError("write it as name@host.domain")
        return text

    @property
    def base_url(self) -> str:
        """Return the public base of every URL."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def local_url(self) -> str:
        """Return where this machine reaches the gateway, whatever the public address is."""
        host = LOOPBACK if self.host in {"localhost", "0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{host}:{self.port}"
