"""Tell who calls, from the credentials a request presents."""

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from darkroom.contracts.claims import DEFAULT_PLANS, CredentialKind, Principal
from darkroom.gateway.domain.credential import Credential, Kind
from darkroom.gateway.domain.errors import CredentialMissing, CredentialsDisagree
from darkroom.gateway.domain.routes import Policy, Route
from darkroom.gateway.operations.caller import Caller
from darkroom.gateway.operations.keys import KeyBook
from darkroom.gateway.operations.memory import Memory
from darkroom.platform.auth.sessions import SessionVerifier
from darkroom.platform.errors import Forbidden

ANONYMOUS: Final = Caller(
    Principal(credential=CredentialKind.ANONYMOUS, limits=DEFAULT_PLANS["anonymous"])
)
# Only saves the passport of a session from being signed again and again; the token itself is
# verified every time.
_SESSION_SECONDS: Final = 60.0
_SESSIONS: Final = 10_000


class Identifier:
    """Resolve credentials to callers."""

    def __init__(
        self,
        keys: KeyBook,
        sessions: SessionVerifier,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._sessions = sessions
        self._callers: Memory[UUID, Caller] = Memory(capacity=_SESSIONS, clock=clock)

    async def identify(self, route: Route, credentials: Sequence[Credential]) -> Caller:
        """Return who calls, as the route's policy wants it.

        A wrong credential raises Unauthenticated on every route that looks at credentials: it is
        never taken for none.
        """
        if not credentials:
            if route.policy is Policy.REQUIRED:
                raise CredentialMissing
            return ANONYMOUS
        caller = await self._resolve(credentials[0])
        for other in credentials[1:]:
            if (await self._resolve(other)).principal.account_id != caller.principal.account_id:
                raise CredentialsDisagree
        if route.session_only and caller.principal.credential is CredentialKind.KEY:
            raise Forbidden("An API key cannot be used here; sign in instead.")
        return caller

    async def _resolve(self, credential: Credential) -> Caller:
        if credential.kind is Kind.KEY:
            return await self._keys.holder(credential.text)
        claims = await self._sessions.verify(credential.text)
        caller = self._callers.recall(claims.jti)
        if caller is None:
            caller = Caller(claims.principal)
            self._callers.keep(claims.jti, caller, seconds=_SESSION_SECONDS)
        return caller
