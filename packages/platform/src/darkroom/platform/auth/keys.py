"""Ed25519 signing keys, and the key sets that verify what they sign."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from darkroom.platform.auth.jwks import parse_key_set, thumbprint, write_key_set
from darkroom.platform.auth.keyfiles import KeyFileError, load_or_create
from darkroom.platform.errors import Unavailable
from darkroom.platform.http.client import cause_of
from darkroom.platform.telemetry.logs import get_logger

# Somebody who invents key ids may make us ask the issuer this often and no oftener.
REFETCH_SECONDS: Final = 5.0
# An issuer that has just started should not be believed away for long.
RETRY_SECONDS: Final = 0.5
# A key taken out of the set stops opening doors here after this long.
MAX_AGE_SECONDS: Final = 300.0
# A neighbour answers a document of a few hundred bytes in a millisecond; past this it is not there.
FETCH_TIMEOUT_SECONDS: Final = 2.0
# Some hundred keys; no issuer of ours publishes more than three.
MAX_DOCUMENT_BYTES: Final = 64 * 1024

log = get_logger()


class KeySet(Protocol):
    """Know the public keys of one issuer."""

    async def key_for(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key of that id, or None; raises Unavailable when it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Hold a private key under the id its public half is published by."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        """Return the half that verifies."""
        return self.private.public_key()


@dataclass(frozen=True, slots=True)
class LocalKeySet:
    """Verify with keys this process holds itself."""

    keys: Mapping[str, Ed25519PublicKey]

    async def key_for(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key of that id, or None."""
        return self.keys.get(kid)


def local_key_set(*keys: SigningKey) -> LocalKeySet:
    """Make a key set of signing keys."""
    return LocalKeySet({key.kid: key.public for key in keys})


def make_signing_key() -> SigningKey:
    """Make a fresh key that lives as long as the process."""
    return _named(Ed25519PrivateKey.generate())


def load_or_create_signing_key(path: Path) -> SigningKey:
    """Read a key from a PEM file, first making the file, with mode 0600, where there is none.

    Raises KeyFileError when the file cannot be used or holds another kind of key.
    """
    pem = load_or_create(path, _make_pem)
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"The key file {path} does not hold a PEM private key.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"The key file {path} holds another kind of key than Ed25519.")
    return _named(private)


def public_key_set(*keys: SigningKey) -> dict[str, Any]:
    """Return the JWKS document of the keys' public halves."""
    return write_key_set({key.kid: key.public for key in keys})


class RemoteKeySet:
    """Answer from memory; one fetch at a time, none more often than the intervals allow."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = url
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._fetched_at: float | None = None
        self._next_fetch_at = -float("inf")
        self._is_cut_off = False

    async def key_for(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key of that id, or None where the issuer has none.

        Raises Unavailable when the issuer cannot be asked and nothing it said before tells.
        """
        if kid in self._keys and not self._is_stale():
            return self._keys[kid]
        await self._refresh()
        if kid not in self._keys and self._is_cut_off:
            raise Unavailable(keys_url=self._url)
        return self._keys.get(kid)

    async def check(self) -> None:
        """Raise Unavailable until keys have been fetched once; for readiness."""
        if self._fetched_at is None:
            await self._refresh()
        if self._fetched_at is None:
            raise Unavailable(keys_url=self._url)

    def _is_stale(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > MAX_AGE_SECONDS

    async def _refresh(self) -> None:
        async with self._fetching:
            if self._clock() < self._next_fetch_at:
                return
            try:
                self._keys = parse_key_set(await self._fetch())
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                self._next_fetch_at = self._clock() + RETRY_SECONDS
                self._is_cut_off = True
                log.warning("key_set_unreachable", url=self._url, error=cause_of(error))
                return
            self._is_cut_off = False
            self._fetched_at = self._clock()
            self._next_fetch_at = self._fetched_at + REFETCH_SECONDS

    async def _fetch(self) -> object:
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_SECONDS)
        async with self._session.get(self._url, timeout=timeout, allow_redirects=False) as reply:
            if reply.status != HTTPStatus.OK:
                raise ValueError(f"answered {reply.status}")
            body = await reply.content.read(MAX_DOCUMENT_BYTES)
        document: object = json.loads(body)
        return document


@asynccontextmanager
async def open_remote_key_set(url: str) -> AsyncIterator[RemoteKeySet]:
    """Open a key set published at an address; nothing is fetched before the first question."""
    # Proxy variables of the environment are for the outside world, not for neighbours.
    async with aiohttp.ClientSession(trust_env=False) as session:
        yield RemoteKeySet(session, url)


def _named(private: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(thumbprint(private.public_key()), private)


def _make_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
