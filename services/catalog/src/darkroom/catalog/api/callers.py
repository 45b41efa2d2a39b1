"""Who calls: the guards of the catalog's routes, and whose library a passport opens."""

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.claims import CredentialKind, Passport, Scope
from darkroom.platform.auth.guards import (
    CurrentPassport,
    account_passport,
    passport_token,
    requires,
)
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.errors import Unauthenticated

# A slow upload outlives the passport it began with; an hour is the longest one may take.
REGISTRATION_LEEWAY_SECONDS: Final = 3_600

_upload_scope: Final = requires(Scope.UPLOAD)

Reader = Annotated[Passport, Depends(requires(Scope.READ))]
Writer = Annotated[Passport, Depends(requires(Scope.WRITE))]
Uploader = Annotated[Passport, Depends(_upload_scope)]


async def late_uploader(request: Request) -> Passport:
    verifier: PassportVerifier = request.app.state.passports
    passport = await verifier.verify(
        passport_token(request), leeway_seconds=REGISTRATION_LEEWAY_SECONDS
    )
    request.state.surface = passport.surface
    return await _upload_scope(await account_passport(passport))


LateUploader = Annotated[Passport, Depends(late_uploader)]


def owner_of(passport: Passport) -> Owner:
    principal = passport.principal
    if principal.account_id is None:
        raise Unauthenticated
    return Owner(principal.account_id, principal.stage)


async def optional_owner(passport: CurrentPassport) -> Owner | None:
    """Files are for everybody who may see them; their owner may see them sooner."""
    principal = passport.principal
    may_read = principal.credential is CredentialKind.SESSION or Scope.READ in principal.scopes
    if principal.account_id is None or not may_read:
        return None
    return Owner(principal.account_id, principal.stage)


OptionalOwner = Annotated[Owner | None, Depends(optional_owner)]
