"""The error families every service raises, and nothing about wires.

    ServiceError
    ├── Rejected                 the caller's fault; the same call will fail again
    │   ├── Malformed            the request cannot be understood
    │   ├── Unauthenticated      no credential, or a wrong one
    │   ├── QuotaExceeded        the account's plan is used up
    │   ├── Forbidden            known, and not allowed
    │   ├── NotFound             absent, foreign or hidden: one answer for the three
    │   ├── Conflict             the state does not allow it
    │   ├── Gone                 was here, is not any more
    │   ├── TooLarge             more bytes than allowed
    │   ├── Unsupported          a kind of content we do not take
    │   ├── Unprocessable        understood, and still unacceptable
    │   ├── TooSlow              the caller did not send in time
    │   └── LimitReached         too many, try later
    ├── Unavailable              a dependency is away; try later
    ├── TimedOut                 a dependency did not answer in time
    ├── BadReply                 a dependency answered nonsense
    └── Broken                   our fault

Edges hold the tables: class to status in `http.problems`, class to outcome in `messaging.outcomes`.
"""

from typing import ClassVar

from darkroom.contracts.problems import FieldError, ProblemCode


class ServiceError(Exception):
    """Carry a reason: a stable code and public sentence, private context for the log.

    A family's own code and sentence are the defaults; a subclass or a call may be more exact.
    Context never reaches a client. `retry_after_seconds` becomes a header or a delay.
    """

    code: ClassVar[ProblemCode] = ProblemCode.INTERNAL_ERROR
    public: ClassVar[str] = "Something went wrong on our side."
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(
        self,
        message: str | None = None,
        *,
        code: ProblemCode | None = None,
        errors: tuple[FieldError, ...] = (),
        **context: object,
    ) -> None:
        self.message = message or self.public
        self.problem_code = code or self.code
        self.errors = errors
        self.context = context
        super().__init__(self.message)


class Rejected(ServiceError):
    """The caller's fault; sending the same again fails again."""

    code = ProblemCode.BAD_REQUEST
    public = "The request cannot be fulfilled."


class Malformed(Rejected):
    """The request cannot be understood."""

    public = "The request cannot be understood."


class Unauthenticated(Rejected):
    """No credential was given, or a wrong one."""

    code = ProblemCode.CREDENTIALS_INVALID
    public = "The credential is not valid."


class QuotaExceeded(Rejected):
    """The plan's quota is used up."""

    code = ProblemCode.STORAGE_FULL
    public = "The account's storage is full."


class Forbidden(Rejected):
    """The caller is known and may not do this."""

    code = ProblemCode.FORBIDDEN
    public = "This is not allowed."


class NotFound(Rejected):
    """Absent, foreign or hidden: the answer is the same."""

    code = ProblemCode.NOT_FOUND
    public = "There is nothing here."


class Conflict(Rejected):
    """The state does not allow it."""

    code = ProblemCode.CONFLICT
    public = "This conflicts with what is already there."


class Gone(Rejected):
    """It was here and is not any more."""

    code = ProblemCode.GONE
    public = "This is gone."


class TooLarge(Rejected):
    """More bytes than the caller may send."""

    code = ProblemCode.BODY_TOO_LARGE
    public = "The body is too large."


class Unsupported(Rejected):
    """A kind of content that is not taken."""

    code = ProblemCode.UNSUPPORTED_FORMAT
    public = "This kind of file is not accepted."


class Unprocessable(Rejected):
    """Understood, and still unacceptable."""

    code = ProblemCode.INVALID_FIELD
    public = "The content is not acceptable."


class TooSlow(Rejected):
    """The caller did not send in time."""

    code = ProblemCode.REQUEST_TIMEOUT
    public = "The request took too long to arrive."


class LimitReached(Rejected):
    """Too many; later is fine."""

    code = ProblemCode.RATE_LIMITED
    public = "Too many requests."
    retry_after_seconds = 5


class Unavailable(ServiceError):
    """A dependency is away; the same call may succeed later."""

    code = ProblemCode.UNAVAILABLE
    public = "The service is temporarily unavailable."
    retry_after_seconds = 2


class TimedOut(ServiceError):
    """A dependency did not answer before the deadline."""

    code = ProblemCode.DEADLINE_EXCEEDED
    public = "The service did not answer in time."
    retry_after_seconds = 2


class BadReply(ServiceError):
    """A dependency answered what it never should."""

    code = ProblemCode.BAD_REPLY
    public = "The service answered with something unexpected."


class Broken(ServiceError):
    """Our fault; someone must look."""
