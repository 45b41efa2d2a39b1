"""The passport: signed by the gateway for each request, verified by every service."""

import time
from collections.abc import Callable

from darkroom.contracts.claims import PASSPORT_TTL_SECONDS, Passport, Principal
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth.keys import KeySet, SigningKey
from darkroom.platform.auth.tokens import PASSPORT_PROFILE, TokenVerifier, sign_token


class PassportSigner:
    """Sign passports with one key."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def sign(self, principal: Principal, *, surface: Surface, client: str, now: int) -> str:
        """Return a passport that ends one passport lifetime after `now`, in Unix seconds."""
        end = now + PASSPORT_TTL_SECONDS
        passport = Passport(principal=principal, surface=surface, client=client, iat=now, exp=end)
        return sign_token(self._key, PASSPORT_PROFILE, passport.model_dump(mode="json"))


class PassportVerifier:
    """Verify passports against the gateway's keys; a repeated one costs a look-up."""

    def __init__(self, keys: KeySet, *, clock: Callable[[], float] = time.time) -> None:
        self._tokens = TokenVerifier(keys, PASSPORT_PROFILE, Passport, clock=clock)

    async def verify(self, token: str, *, leeway_seconds: int = 0) -> Passport:
        """Return what the passport says; raises Unauthenticated when it is not a good one.

        `leeway_seconds` is for calls that end long after they began, such as a slow upload's.
        """
        return await self._tokens.verify(token, leeway_seconds=leeway_seconds)
