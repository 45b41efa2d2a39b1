import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.auth.domain.password import MAX_CHARACTERS, MIN_CHARACTERS, password_problem


@pytest.mark.parametrize(
    "password",
    [
        "your-secure-password",
        "correct horse battery staple",
        "Tr0ub4dor&3",
        "8 signs!",
        "пароль длинный",
        "🦊🐙🦉🐝🦀🐢🦋🐌",
        "xK9-pQ2z",
    ],
)
def test_a_password_of_one_s_own_is_taken(password: str) -> None:
    assert password_problem(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1",
        "Password123!",
        "P@ssw0rd",
        "123456789",
        "987654321",
        "12345678",
        "qwertyuiop",
        "asdfghjkl",
        "1qaz2wsx",
        "1q2w3e4r5t",
        "abcdefgh",
        "11111111",
        "aaaaaaaaaaaa",
        "iloveyou1",
        "letmein!!",
        "sunshine99",
        "monkeymonkey",
        "99princess",
    ],
)
def test_tok_17_a_password_anybody_would_try_first_is_refused(password: str) -> None:
    assert password_problem(password) is not None


@given(st.text(max_size=MIN_CHARACTERS - 1))
def test_a_short_password_is_refused(password: str) -> None:
    assert password_problem(password) is not None


@given(st.text(min_size=MAX_CHARACTERS + 1, max_size=MAX_CHARACTERS + 50))
def test_a_boundless_password_is_refused(password: str) -> None:
    assert password_problem(password) is not None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_any_text_gets_a_verdict(password: str) -> None:
    problem = password_problem(password)
    assert problem is None or problem.endswith(".")


def test_the_account_s_own_name_is_no_password() -> None:
    assert password_problem("Anne.Other", own_names=("anne.other",)) is not None
    assert password_problem("Anne.Other", own_names=("someone",)) is None
