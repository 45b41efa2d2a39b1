"""JWKS documents: Ed25519 public keys written and read (RFC 7517, RFC 8037)."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from darkroom.contracts.claims import TOKEN_ALGORITHM

# What our own thumbprints consist of, bounded so that a hostile one is never looked up or logged.
KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PUBLIC_BYTES: Final = 32


def write_key_set(keys: Mapping[str, Ed25519PublicKey]) -> dict[str, Any]:
    """Return the JWKS document of public keys by id."""
    return {"keys": [_jwk(kid, public) for kid, public in keys.items()]}


def parse_key_set(document: object) -> dict[str, Ed25519PublicKey]:
    """Read a JWKS document, leaving out every key that is not an Ed25519 one with an id.

    Raises ValueError when it is not a JWKS document at all.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document")  # noqa: TRY004 - one error for every bad shape
    keys = (_parse_jwk(entry) for entry in entries)
    return dict(key for key in keys if key is not None)


def thumbprint(public: Ed25519PublicKey) -> str:
    """Return a key's RFC 7638 id: SHA-256 over its required members in lexical order."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _coordinate(public)}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _jwk(kid: str, public: Ed25519PublicKey) -> dict[str, str]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _coordinate(public),
        "kid": kid,
        "use": "sig",
        "alg": TOKEN_ALGORITHM,
    }


def _parse_jwk(entry: object) -> tuple[str, Ed25519PublicKey] | None:
    if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        return None
    kid, coordinate = entry.get("kid"), entry.get("x")
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid) or not isinstance(coordinate, str):
        return None
    try:
        raw = base64.urlsafe_b64decode(coordinate + "=" * (-len(coordinate) % 4))
    except ValueError:
        return None
    return (kid, Ed25519PublicKey.from_public_bytes(raw)) if len(raw) == _PUBLIC_BYTES else None


def _coordinate(public: Ed25519PublicKey) -> str:
    return _base64url(public.public_bytes_raw())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
