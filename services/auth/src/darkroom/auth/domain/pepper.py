"""The pepper: the server's own secret, without which a stored digest leads back to nothing."""

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum


class Purpose(StrEnum):
    """Keep digests of different things apart, so that none can stand in for another."""

    API_KEY = "api-key"
    REFRESH_TOKEN = "refresh-token"  # noqa: S105 - a label, not a secret


@dataclass(frozen=True, slots=True)
class Pepper:
    secret: bytes = field(repr=False)

    def digest(self, purpose: Purpose, text: str) -> bytes:
        return hmac.digest(self.secret, f"{purpose}:{text}".encode(), hashlib.sha256)
