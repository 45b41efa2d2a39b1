"""Route guards: the signature of a route says who may call it.

The app keeps its verifier in `app.state.passports`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from darkroom.contracts.claims import PASSPORT_HEADER, CredentialKind, Passport, Scope
from darkroom.contracts.problems import ProblemCode
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.errors import Forbidden, Unauthenticated


def passport_token(request: Request) -> str:
    """Return the passport as it came, to forward it; raises Unauthenticated unless there is one."""
    tokens = request.headers.getlist(PASSPORT_HEADER)
    if len(tokens) != 1:
        raise Unauthenticated(
            "This address is reached through the gateway only.",
            code=ProblemCode.CREDENTIALS_MISSING,
        )
    return tokens[0]


async def current_passport(request: Request) -> Passport:
    """Verify the request's passport, and note its surface for whatever problem body may follow."""
    verifier: PassportVerifier = request.app.state.passports
    passport = await verifier.verify(passport_token(request))
    request.state.surface = passport.surface
    return passport


CurrentPassport = Annotated[Passport, Depends(current_passport)]


async def account_passport(passport: CurrentPassport) -> Passport:
    """Refuse anonymous callers."""
    if passport.principal.account_id is None:
        raise Unauthenticated("This needs a credential.", code=ProblemCode.CREDENTIALS_MISSING)
    return passport


AccountPassport = Annotated[Passport, Depends(account_passport)]


async def session_passport(passport: AccountPassport) -> Passport:
    """Refuse keys: what concerns the account itself is for people who have signed in."""
    if passport.principal.credential is not CredentialKind.SESSION:
        raise Forbidden("This needs a signed-in session; an API key may not do it.")
    return passport


SessionPassport = Annotated[Passport, Depends(session_passport)]


def requires(scope: Scope) -> Callable[[Passport], Awaitable[Passport]]:
    """Make a guard for one scope: keys need it, sessions have it, anonymous callers are refused."""

    async def scoped_passport(passport: AccountPassport) -> Passport:
        principal = passport.principal
        if principal.credential is CredentialKind.KEY and scope not in principal.scopes:
            raise Forbidden(f"The key lacks the scope '{scope}'.", code=ProblemCode.SCOPE_MISSING)
        return passport

    return scoped_passport
