from uuid import UUID

import pytest
from pydantic import ValidationError

from darkroom.contracts.claims import (
    DEFAULT_PLANS,
    CredentialKind,
    Passport,
    Principal,
    Scope,
)
from darkroom.contracts.surfaces import Surface


@pytest.fixture
def passport() -> Passport:
    return Passport(
        principal=Principal(
            credential=CredentialKind.KEY,
            account_id=UUID(int=1),
            key_id=UUID(int=2),
            scopes=frozenset({Scope.READ, Scope.UPLOAD}),
            limits=DEFAULT_PLANS["free"],
        ),
        surface=Surface.PARTR,
        client="c" * 16,
        iat=1_763_717_400,
        exp=1_763_717_460,
    )


def test_passport_comes_back_from_the_wire(passport: Passport) -> None:
    assert Passport.model_validate_json(passport.model_dump_json()) == passport


def test_passport_says_nothing_that_is_not_in_its_claims(passport: Passport) -> None:
    assert set(passport.model_dump(mode="json")) == {"principal", "surface", "client", "iat", "exp"}


def test_scope_nobody_knows_is_refused(passport: Passport) -> None:
    claims = passport.model_dump(mode="json")
    claims["principal"]["scopes"] = ["everything"]
    with pytest.raises(ValidationError):
        Passport.model_validate(claims)


def test_every_plan_is_found_by_its_own_name_and_none_shrinks_when_paid_for() -> None:
    assert {name: limits.plan for name, limits in DEFAULT_PLANS.items()} == {
        name: name for name in DEFAULT_PLANS
    }
    sizes = [DEFAULT_PLANS[name].file_bytes for name in ("anonymous", "free", "pro", "enterprise")]
    assert sizes == sorted(sizes)
    assert sizes[:2] == [5_000_000, 20_000_000]
