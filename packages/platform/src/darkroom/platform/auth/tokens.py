"""Signed tokens of ours: one algorithm, a fixed profile per kind.

Nothing is taken from a token's header but the id of a key we already know.
"""

import base64
import binascii
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ValidationError

from darkroom.contracts.claims import (
    PASSPORT_AUDIENCE,
    PASSPORT_ISSUER,
    PASSPORT_TYPE,
    SESSION_AUDIENCE,
    SESSION_ISSUER,
    SESSION_TYPE,
    TOKEN_ALGORITHM,
)
from darkroom.platform.auth.jwks import KEY_ID
from darkroom.platform.auth.keys import KeySet, SigningKey
from darkroom.platform.errors import Unauthenticated

# Ours are about 900 characters; whatever is longer is not read.
MAX_TOKEN_CHARACTERS: Final = 4096
# A thousand callers at a time is busy for one process; with their tokens some 4 MB.
CACHED_TOKENS: Final = 2048
# Header, payload and signature.
_DOTS: Final = 2
_HEADER_NAMES: Final = frozenset({"alg", "kid", "typ"})


@dataclass(frozen=True, slots=True)
class TokenProfile:
    """Say what tells one kind of token from every other."""

    issuer: str
    audience: str
    type: str


PASSPORT_PROFILE: Final = TokenProfile(PASSPORT_ISSUER, PASSPORT_AUDIENCE, PASSPORT_TYPE)
SESSION_PROFILE: Final = TokenProfile(SESSION_ISSUER, SESSION_AUDIENCE, SESSION_TYPE)


class TokenTimes(BaseModel):
    """Read the times of any token; whole numbers only, as we write them."""

    exp: int
    nbf: int | None = None


Claims = TypeVar("Claims", bound=BaseModel)


def sign_token(key: SigningKey, profile: TokenProfile, claims: Mapping[str, Any]) -> str:
    """Sign claims, which must hold `iat` and `exp`, as a token of one profile."""
    payload = {"iss": profile.issuer, "aud": profile.audience, **claims}
    headers = {"kid": key.kid, "typ": profile.type}
    return jwt.encode(payload, key.private, algorithm=TOKEN_ALGORITHM, headers=headers)


class TokenVerifier(Generic[Claims]):
    """Verify tokens of one profile; remember good ones until they end."""

    def __init__(
        self,
        keys: KeySet,
        profile: TokenProfile,
        model: type[Claims],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._profile = profile
        self._model = model
        self._clock = clock
        self._verified: OrderedDict[str, tuple[int, Claims]] = OrderedDict()

    async def verify(self, token: str, *, leeway_seconds: int = 0) -> Claims:
        """Return a good token's claims.

        Raises Unauthenticated for any other text, and Unavailable when its key cannot be told.
        The issue time is not compared: a clock a little behind the issuer's must not refuse.
        """
        known = self._verified.get(token)
        if known is not None and self._clock() < known[0]:
            self._verified.move_to_end(token)
            return known[1]
        self._verified.pop(token, None)
        kid = _key_id(token, self._profile)
        key = await self._keys.key_for(kid)
        if key is None:
            raise Unauthenticated(reason="unknown_key", kid=kid)
        times, claims = self._read(token, key)
        now = self._clock()
        if times.exp + leeway_seconds <= now:
            raise Unauthenticated(reason="expired")
        if times.nbf is not None and now + leeway_seconds < times.nbf:
            raise Unauthenticated(reason="not_yet_valid")
        self._remember(token, times.exp, claims)
        return claims

    def _read(self, token: str, key: Ed25519PublicKey) -> tuple[TokenTimes, Claims]:
        profile = self._profile
        try:
            payload = jwt.decode(
                token,
                key,
                algorithms=[TOKEN_ALGORITHM],
                audience=profile.audience,
                issuer=profile.issuer,
                options=_SIGNATURE_AND_PROFILE,
            )
            _refuse_repeated_names(_decoded(token.split(".")[1]))
            # JSON again, because only there does strict mode take an id or a word for what it is.
            text = json.dumps(payload)
            times = TokenTimes.model_validate_json(text, strict=True)
            return times, self._model.model_validate_json(text, strict=True)
        except (jwt.PyJWTError, ValidationError, ValueError, RecursionError) as error:
            raise Unauthenticated(reason=type(error).__name__) from error

    def _remember(self, token: str, exp: int, claims: Claims) -> None:
        self._verified[token] = (exp, claims)
        if len(self._verified) > CACHED_TOKENS:
            self._verified.popitem(last=False)


# Times are compared by the verifier itself, against its own clock and as whole numbers only.
_SIGNATURE_AND_PROFILE: Final[Any] = {
    "require": ["iss", "aud", "iat", "exp"],
    "strict_aud": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


def _key_id(token: str, profile: TokenProfile) -> str:
    """Return the key id a well-formed token names; nothing else in its header is followed."""
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii() or token.count(".") != _DOTS:
        raise Unauthenticated(reason="malformed")
    try:
        header, _, _ = (_decoded(part) for part in token.split("."))
        names = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise Unauthenticated(reason="malformed") from error
    if not isinstance(names, dict) or names.keys() != _HEADER_NAMES:
        raise Unauthenticated(reason="header")
    kid = names["kid"]
    if (names["alg"], names["typ"]) != (TOKEN_ALGORITHM, profile.type):
        raise Unauthenticated(reason="type")
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
        raise Unauthenticated(reason="key_id")
    return kid


def _decoded(part: str) -> bytes:
    """Decode base64url as only its encoder writes it, so that one token has one spelling."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise ValueError("not canonical base64url")
    return raw


def _refuse_repeated_names(payload: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        named = dict(items)
        if len(named) != len(items):
            raise ValueError("a claim is there twice")
        return named

    json.loads(payload, object_pairs_hook=pairs)
