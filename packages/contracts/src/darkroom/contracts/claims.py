"""The passport: the short signed token that tells a service who calls, on every hop."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from darkroom.contracts.surfaces import Stage, Surface

PASSPORT_HEADER: Final = "x-darkroom-passport"
REQUEST_ID_HEADER: Final = "x-request-id"
# Signed at the gateway; audience and issuer are fixed, so no other token of ours passes for one.
PASSPORT_ISSUER: Final = "darkroom-gateway"
PASSPORT_AUDIENCE: Final = "darkroom-services"
PASSPORT_TYPE: Final = "passport+jwt"
PASSPORT_TTL_SECONDS: Final = 60
# Session tokens are signed by auth, for the gateway to verify.
SESSION_ISSUER: Final = "darkroom-auth"
SESSION_AUDIENCE: Final = "darkroom-gateway"
SESSION_TYPE: Final = "at+jwt"
# The one algorithm both tokens are signed and verified with.
TOKEN_ALGORITHM: Final = "EdDSA"  # noqa: S105 - an algorithm, not a secret


class Role(StrEnum):
    """Say what an account may do beyond its own things."""

    USER = "user"
    MODERATOR = "moderator"
    ADMIN = "admin"


class CredentialKind(StrEnum):
    """Say how the caller proved who they are."""

    SESSION = "session"
    KEY = "key"
    ANONYMOUS = "anonymous"


class Scope(StrEnum):
    """Name one thing an API key may do; a session may do all of them."""

    READ = "read"
    UPLOAD = "upload"
    WRITE = "write"
    DELETE = "delete"
    WEBHOOKS = "webhooks"


ALL_SCOPES: Final = frozenset(Scope)


class PlanLimits(BaseModel):
    """Hold a plan's limits. Sizes in bytes, MB and GB being powers of ten; None means no limit."""

    model_config = ConfigDict(frozen=True)

    plan: str
    uploads_per_hour: int | None
    calls_per_hour: int | None
    file_bytes: int
    storage_bytes: int | None


_MB: Final = 1_000_000
_GB: Final = 1_000 * _MB

DEFAULT_PLANS: Final[dict[str, PlanLimits]] = {
    limits.plan: limits
    for limits in (
        PlanLimits(
            plan="anonymous",
            uploads_per_hour=5,
            calls_per_hour=100,
            file_bytes=5 * _MB,
            storage_bytes=None,
        ),
        PlanLimits(
            plan="free",
            uploads_per_hour=20,
            calls_per_hour=1_000,
            file_bytes=20 * _MB,
            storage_bytes=5 * _GB,
        ),
        PlanLimits(
            plan="pro",
            uploads_per_hour=100,
            calls_per_hour=10_000,
            file_bytes=100 * _MB,
            storage_bytes=100 * _GB,
        ),
        PlanLimits(
            plan="enterprise",
            uploads_per_hour=1_000,
            calls_per_hour=100_000,
            file_bytes=500 * _MB,
            storage_bytes=1_000 * _GB,
        ),
        PlanLimits(
            plan="unlimited",
            uploads_per_hour=None,
            calls_per_hour=None,
            file_bytes=500 * _MB,
            storage_bytes=None,
        ),
    )
}


class Principal(BaseModel):
    """Describe who calls: the claims of a passport that do not change from request to request.

    `account_id` is None for anonymous callers; `key_id` only names a key.
    """

    model_config = ConfigDict(frozen=True)

    credential: CredentialKind
    account_id: UUID | None = None
    key_id: UUID | None = None
    role: Role = Role.USER
    scopes: frozenset[Scope] = frozenset()
    stage: Stage = Stage.LIVE
    limits: PlanLimits


class Passport(BaseModel):
    """Hold everything a service may trust about a request: the principal, surface and client.

    `client` is a keyed hash of the client's address; times are Unix seconds.
    """

    model_config = ConfigDict(frozen=True)

    principal: Principal
    surface: Surface
    client: str
    iat: int
    exp: int
