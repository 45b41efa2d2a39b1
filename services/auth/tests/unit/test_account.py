from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from darkroom.auth.domain.account import (
    Account,
    canonical,
    email_problem,
    first_role,
    person_name_problem,
    session_principal,
    username_problem,
)
from darkroom.auth.domain.errors import FieldsRefused
from darkroom.auth.domain.sign_up import SignUp, username_from
from darkroom.contracts.claims import DEFAULT_PLANS, CredentialKind, Role
from darkroom.platform.errors import Broken

MakeAccount = Callable[..., Account]


@pytest.mark.parametrize(
    "email",
    ["a@example.com", "first.last+tag@sub.example.org", "o'neil@example.ie", "admin@localhost"],
)
def test_an_address_people_have_is_taken(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email",
    [
        "",
        "a",
        "@example.com",
        "a@",
        "a@@example.com",
        "a b@example.com",
        "a@example..com",
        "a@-example.com",
        "a@example.com\n",
        "a@example.com\x00",
        "a@" + "b" * 64 + ".com",
        "a" * 65 + "@example.com",
        "a@" + ".".join(["b" * 60] * 5),
        "ä@example.com",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert email_problem(email) is not None


@pytest.mark.parametrize("username", ["your_username", "a", "A.b-c+d_9", "x" * 150])
def test_a_plain_user_name_is_taken(username: str) -> None:
    assert username_problem(username) is None


@pytest.mark.parametrize("username", ["", "a b", "a@b", "ä", "a\n", "a/b", "<b>", "x" * 151])
def test_a_user_name_that_could_be_mistaken_for_something_else_is_refused(username: str) -> None:
    assert username_problem(username) is not None


@pytest.mark.parametrize("name", [None, "Zoë", "Nguyễn Văn", "O'Neil-Smith", "李", "x" * 100])
def test_names_of_people_are_taken(name: str | None) -> None:
    assert person_name_problem(name) is None


@pytest.mark.parametrize("name", ["a\x00", "a\nb", "a\u202eb", "x" * 101])
def test_names_with_hidden_characters_are_refused(name: str) -> None:
    assert person_name_problem(name) is not None


def test_one_address_has_one_canonical_form() -> None:
    assert canonical(" Person@Example.COM ") == canonical("person@example.com")


@pytest.mark.parametrize(
    ("email", "is_first", "admin_email", "role"),
    [
        ("a@example.com", True, None, Role.ADMIN),
        ("a@example.com", False, None, Role.USER),
        ("a@example.com", False, "A@Example.com", Role.ADMIN),
        ("a@example.com", False, "b@example.com", Role.USER),
        ("a@example.com", True, "b@example.com", Role.ADMIN),
    ],
)
def test_the_first_and_the_named_one_are_administrators(
    email: str, admin_email: str | None, role: Role, *, is_first: bool
) -> None:
    assert first_role(email, is_first=is_first, admin_email=admin_email) is role


def test_a_session_stands_for_its_account_with_the_limits_of_its_plan(
    make_account: MakeAccount,
) -> None:
    account = make_account(plan="pro", role=Role.MODERATOR)
    principal = session_principal(account, DEFAULT_PLANS)
    assert (principal.credential, principal.role) == (CredentialKind.SESSION, Role.MODERATOR)
    assert principal.account_id == account.id
    assert principal.limits == DEFAULT_PLANS["pro"]


def test_an_account_with_a_plan_nobody_knows_is_our_fault(make_account: MakeAccount) -> None:
    with pytest.raises(Broken):
        session_principal(make_account(plan="gone"), DEFAULT_PLANS)


def test_an_account_is_suspended_from_the_moment_it_was(make_account: MakeAccount) -> None:
    assert not make_account().is_suspended
    assert make_account(suspended_at=datetime.now(UTC)).is_suspended


def test_an_account_does_not_show_its_password_hash(make_account: MakeAccount) -> None:
    assert "argon2" not in repr(make_account(password_hash="$argon2id$secret"))


def test_a_sign_up_names_each_bad_field_and_shows_no_password() -> None:
    wanted = SignUp(email="x", password="short", username="a b", age_confirmed=True)
    with pytest.raises(FieldsRefused) as caught:
        wanted.refuse_unacceptable()
    assert [error.field for error in caught.value.errors] == ["email", "password", "username"]
    assert "short" not in repr(wanted)


@pytest.mark.parametrize(
    ("email", "username"),
    [("admin@darkroom.local", "admin"), ("o'neil#1@example.com", "o-neil-1")],
)
def test_a_user_name_made_of_an_address_is_a_good_one(email: str, username: str) -> None:
    assert username_from(email) == username
    assert username_problem(username) is None
