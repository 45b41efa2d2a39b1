"""An account: who owns images. The rules for its address, its name and its place among others."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from darkroom.contracts.claims import CredentialKind, PlanLimits, Principal, Role
from darkroom.platform.errors import Broken

FIRST_PLAN: Final = "free"
# RFC 5321: 64 octets before the @, 254 in all.
MAX_EMAIL: Final = 254
MAX_EMAIL_LOCAL: Final = 64
# What the imagepro surface documents; the other surfaces say nothing.
MAX_USERNAME: Final = 150
# Longer than any name that people sign up with; it is shown in one line.
MAX_PERSON_NAME: Final = 100

# The rule browsers apply to <input type=email>: an atom, an @, and labels of 1-63 characters.
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*")
# Letters, digits and four marks: safe in an address, in a log and beside another name.
_USERNAME: Final = re.compile(r"[A-Za-z0-9._+-]+")


@dataclass(frozen=True, slots=True)
class Account:
    id: UUID
    email: str
    username: str
    password_hash: str = field(repr=False)
    age_confirmed: bool
    role: Role
    plan: str
    created_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    suspended_at: datetime | None = None

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None


def canonical(text: str) -> str:
    """Write an e-mail address or user name as it is compared: two accounts never share one."""
    return text.strip().lower()


def email_problem(email: str) -> str | None:
    local, _, _ = email.rpartition("@")
    if len(email) > MAX_EMAIL or len(local) > MAX_EMAIL_LOCAL or not _EMAIL.fullmatch(email):
        return "This is not an e-mail address."
    return None


def username_problem(username: str) -> str | None:
    if len(username) > MAX_USERNAME or not _USERNAME.fullmatch(username):
        return f"Use 1 to {MAX_USERNAME} letters, digits, dots, dashes, pluses and underscores."
    return None


def person_name_problem(name: str | None) -> str | None:
    if name is None:
        return None
    # Cc, Cf, Cs …: what cannot be seen has no place in a name, and PostgreSQL takes no NUL.
    if len(name) > MAX_PERSON_NAME or any(unicodedata.category(c)[0] == "C" for c in name):
        return f"Use up to {MAX_PERSON_NAME} visible characters."
    return None


def first_role(email: str, *, is_first: bool, admin_email: str | None) -> Role:
    """Decide the role of a fresh account: somebody has to be able to let others in."""
    is_named = admin_email is not None and canonical(email) == canonical(admin_email)
    return Role.ADMIN if is_first or is_named else Role.USER


def limits_of(account: Account, plans: Mapping[str, PlanLimits]) -> PlanLimits:
    try:
        return plans[account.plan]
    except KeyError as error:
        raise Broken(account_id=account.id, unknown_plan=account.plan) from error


def session_principal(account: Account, plans: Mapping[str, PlanLimits]) -> Principal:
    return Principal(
        credential=CredentialKind.SESSION,
        account_id=account.id,
        role=account.role,
        limits=limits_of(account, plans),
    )
