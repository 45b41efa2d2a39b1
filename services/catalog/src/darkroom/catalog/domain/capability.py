"""Capability links: who holds one may read one private file until it expires or is withdrawn."""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from darkroom.catalog.domain.errors import LinkRefused

# 128 bits, as the HTTP contract says: beyond guessing, and half the length in a URL.
MAC_BYTES: Final = 16
# Expiry in Unix seconds and the image's URL version, both unsigned, big-endian.
_HEAD: Final = struct.Struct(">QI")
_LENGTH: Final = _HEAD.size + MAC_BYTES
# 28 bytes make 38 characters of base64url without padding.
_TEXT_LENGTH: Final = -(-_LENGTH * 4 // 3)


@dataclass(frozen=True, slots=True)
class CapabilityKey:
    """Signs and checks links. The link carries its version, so a wrong one is refused before any

    look-up: the refusal says nothing about whether the image exists.
    """

    secret: bytes

    def sign(self, path: str, *, expires_at: datetime, url_version: int) -> str:
        head = _HEAD.pack(int(expires_at.timestamp()), url_version)
        token = base64.urlsafe_b64encode(head + self._mac(path, head))
        return token.rstrip(b"=").decode()

    def verify(self, token: str, path: str, *, now: datetime) -> int:
        """Return the URL version the link was made for; raises LinkRefused."""
        raw = _decode(token)
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        if not hmac.compare_digest(mac, self._mac(path, head)):
            raise LinkRefused
        expires_at, url_version = _HEAD.unpack(head)
        if now.timestamp() >= expires_at:
            raise LinkRefused
        return int(url_version)

    def _mac(self, path: str, head: bytes) -> bytes:
        return hmac.digest(self.secret, head + path.encode(), hashlib.sha256)[:MAC_BYTES]


def _decode(token: str) -> bytes:
    if len(token) != _TEXT_LENGTH or not token.isascii():
        raise LinkRefused
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        raise LinkRefused from None
    if len(raw) != _LENGTH:
        raise LinkRefused
    return raw
