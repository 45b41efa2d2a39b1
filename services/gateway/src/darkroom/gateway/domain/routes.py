"""The route table: every path the outside may reach, as facts, in the order they are tried."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from darkroom.contracts.credentials import SESSION_KEYS_PATH
from darkroom.contracts.surfaces import Surface


class Policy(StrEnum):
    """What a route asks of the caller; a credential that is looked at and wrong is always 401."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    # Credentials are not looked at: the answer is the same for everybody.
    NONE = "none"


class Bucket(StrEnum):
    """Which counter a call is taken from, once calls are counted."""

    UPLOADS = "uploads"
    CALLS = "calls"
    SIGN_IN = "sign_in"
    FREE = "free"


class Owner(StrEnum):
    """Who answers."""

    GATEWAY = "gateway"
    AUTH = "auth"
    UPLOAD = "upload"
    CATALOG = "catalog"


class Body(StrEnum):
    """How much a caller may send; the sizes are settings."""

    NONE = "none"
    JSON = "json"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Route:
    """One row.

    `pattern` names its parameters in braces. `prefix` is put before an alias's path and `target`
    replaces the path, where the owner knows it by another name.
    """

    methods: tuple[str, ...]
    pattern: str
    surface: Surface
    owner: Owner
    policy: Policy = Policy.REQUIRED
    bucket: Bucket = Bucket.CALLS
    body: Body = Body.NONE
    session_only: bool = False
    media: bool = False
    prefix: str = ""
    target: str | None = None


_READ: Final = ("GET", "HEAD")
_POST: Final = ("POST",)

# What a parameter may look like. Anything else is not this route, hence 404 and never a look-up.
PARAMETERS: Final = {
    "album_id": r"[A-Za-z0-9_-]{1,64}",
    "image_id": r"[A-Za-z0-9_-]{1,64}",
    "partr_image_id": r"img_[A-Za-z0-9]{1,60}",
    "key_id": r"[A-Za-z0-9_-]{1,64}",
    "rendition": r"(?:uploads|processed|thumbnails)",
    "file": r"[A-Za-z0-9_-]{1,64}\.[a-z0-9]{1,8}",
}

ROUTES: Final[tuple[Route, ...]] = (
    # The platform's own.
    Route(
        _READ,
        "/health",
        Surface.PLATFORM,
        Owner.GATEWAY,
        policy=Policy.NONE,
        bucket=Bucket.FREE,
    ),
    Route(
        _READ,
        "/.well-known/jwks.json",
        Surface.PLATFORM,
        Owner.AUTH,
        policy=Policy.NONE,
        bucket=Bucket.FREE,
        target=SESSION_KEYS_PATH,
    ),
    Route(
        _READ,
        "/storage/{rendition}/{file}",
        Surface.PLATFORM,
        Owner.CATALOG,
        policy=Policy.OPTIONAL,
        bucket=Bucket.FREE,
        media=True,
    ),
    # partr, first by its abbreviated paths: they lie inside img's `/v1`.
    Route(
        _POST,
        "/v1/upload",
        Surface.PARTR,
        Owner.UPLOAD,
        bucket=Bucket.UPLOADS,
        body=Body.UPLOAD,
        prefix="/api",
    ),
    Route(_READ, "/v1/albums/{album_id}/images", Surface.PARTR, Owner.CATALOG, prefix="/api"),
    Route(_READ, "/v1/images/{partr_image_id}", Surface.PARTR, Owner.CATALOG, prefix="/api"),
    Route(
        _POST,
        "/api/v1/upload",
        Surface.PARTR,
        Owner.UPLOAD,
        bucket=Bucket.UPLOADS,
        body=Body.UPLOAD,
    ),
    Route(_READ, "/api/v1/albums/{album_id}/images", Surface.PARTR, Owner.CATALOG),
    Route(_READ, "/api/v1/images/{image_id}", Surface.PARTR, Owner.CATALOG),
    # pichr. Accounts and keys are for people: an API key gets 403 there.
    Route(
        _POST,
        "/api/v1/auth/signup",
        Surface.PICHR,
        Owner.AUTH,
        policy=Policy.OPTIONAL,
        bucket=Bucket.SIGN_IN,
        body=Body.JSON,
        session_only=True,
    ),
    Route(
        _POST,
        "/api/v1/auth/login",
        Surface.PICHR,
        Owner.AUTH,
        policy=Policy.OPTIONAL,
        bucket=Bucket.SIGN_IN,
        body=Body.JSON,
        session_only=True,
    ),
    Route(_READ, "/api/v1/keys", Surface.PICHR, Owner.AUTH, session_only=True),
    Route(_POST, "/api/v1/keys", Surface.PICHR, Owner.AUTH, body=Body.JSON, session_only=True),
    Route(("DELETE",), "/api/v1/keys/{key_id}", Surface.PICHR, Owner.AUTH, session_only=True),
    Route(_POST, "/api/v1/albums", Surface.PICHR, Owner.CATALOG, body=Body.JSON),
)
