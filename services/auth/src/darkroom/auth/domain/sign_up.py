"""A sign-up: what a stranger says about themselves, checked field by field."""

import re
from dataclasses import dataclass, field
from typing import Final

from darkroom.auth.domain.account import (
    FIRST_PLAN,
    MAX_USERNAME,
    email_problem,
    person_name_problem,
    username_problem,
)
from darkroom.auth.domain.errors import FieldsRefused
from darkroom.auth.domain.password import password_problem
from darkroom.contracts.problems import FieldError

# Whatever a user name may not hold.
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class SignUp:
    email: str
    password: str = field(repr=False)
    username: str
    age_confirmed: bool
    first_name: str | None = None
    last_name: str | None = None
    plan: str = FIRST_PLAN

    def refuse_unacceptable(self) -> None:
        """Raise FieldsRefused naming every bad field at once."""
        own_names = (self.email, self.email.partition("@")[0], self.username)
        problems = {
            "email": email_problem(self.email),
            "password": password_problem(self.password, own_names=own_names),
            "username": username_problem(self.username),
            "firstName": person_name_problem(self.first_name),
            "lastName": person_name_problem(self.last_name),
        }
        errors = tuple(
            FieldError(field=name, message=problem) for name, problem in problems.items() if problem
        )
        if errors:
            raise FieldsRefused(errors)


def username_from(email: str) -> str:
    """Make a user name of an e-mail address for an account that was made without one."""
    return _FOREIGN.sub("-", email.partition("@")[0])[:MAX_USERNAME]
