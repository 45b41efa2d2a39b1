"""The refusals only a front door knows; their statuses are in `api.replies`."""

from darkroom.contracts.problems import ProblemCode
from darkroom.platform.errors import LimitReached, Malformed, Rejected, Unauthenticated


class CredentialMissing(Unauthenticated):
    """The route asks for a credential and none came."""

    code = ProblemCode.CREDENTIALS_MISSING
    public = "A credential is required: send X-API-Key or Authorization: Bearer."


class CredentialsDisagree(Unauthenticated):
    """Two credentials of two accounts came with one request."""

    public = "The two credentials belong to different accounts."


class BadFraming(Malformed):
    """Two readers could see different requests in these bytes."""

    public = "The request is not well-formed HTTP/1.1."


class UrlTooLong(Rejected):
    """The request line is longer than we read."""

    code = ProblemCode.URI_TOO_LONG
    public = "The URL is longer than 8 kB."


class HeadersTooLarge(Rejected):
    """The header block is larger than we read."""

    code = ProblemCode.HEADERS_TOO_LARGE
    public = "The headers are larger than 16 kB."


class TooManyAtOnce(LimitReached):
    """One address is being sent as much at a time as one may."""

    public = "Too many requests from this address are being answered; try again in a moment."


class WrongMethodHere(Rejected):
    """The path is there, the method is not."""

    code = ProblemCode.METHOD_NOT_ALLOWED
    public = "This method is not allowed here."

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__()
        self.allowed = allowed
