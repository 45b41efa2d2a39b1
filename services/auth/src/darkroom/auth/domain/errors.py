"""Why auth refuses, each reason once."""

from darkroom.contracts.problems import FieldError, ProblemCode
from darkroom.platform.errors import Conflict, Forbidden, Malformed, NotFound, Unauthenticated


class FieldsRefused(Malformed):
    code = ProblemCode.INVALID_FIELD

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        names = ", ".join(error.field for error in errors)
        super().__init__(f"Missing or invalid: {names}.", errors=errors)


class WrongSignIn(Unauthenticated):
    # One sentence for an unknown address and a wrong password: login never tells who exists.
    public = "The e-mail address or the password is wrong."


class AccountSuspended(Forbidden):
    public = "This account is suspended."


class EmailTaken(Conflict):
    code = ProblemCode.EMAIL_TAKEN
    public = "An account with this e-mail address exists already."

    def __init__(self) -> None:
        super().__init__(errors=(FieldError(field="email", message=self.public),))


class UsernameTaken(Conflict):
    code = ProblemCode.USERNAME_TAKEN
    public = "This user name is taken."

    def __init__(self) -> None:
        super().__init__(errors=(FieldError(field="username", message=self.public),))


class KeyUnknown(NotFound):
    public = "There is no such key."


class TooManyKeys(Conflict):
    public = "The account has as many keys as it may have; revoke one first."
