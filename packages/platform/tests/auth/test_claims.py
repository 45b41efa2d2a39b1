import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.contracts.claims import Principal
from darkroom.contracts.ids import new_id
from darkroom.platform.auth.keys import SigningKey, local_key_set
from darkroom.platform.auth.passport import PassportVerifier
from darkroom.platform.auth.sessions import SessionSigner, SessionVerifier
from darkroom.platform.errors import Unauthenticated

Forge = Callable[..., str]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "darkroom-gateway"},
        {"aud": ["darkroom-services"]},
        {"aud": ...},
        {"iss": "darkroom-auth"},
        {"iss": ...},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "JWT"}},
    ],
)
async def test_tok_04_a_token_for_another_use_is_refused(
    verifier: PassportVerifier, forge: Forge, changes: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(**changes))


async def test_tok_04_a_session_token_is_no_passport_and_a_passport_no_session(
    signing_key: SigningKey, principal: Principal, token: str, clock: SimpleNamespace
) -> None:
    keys = local_key_set(signing_key)
    session = SessionSigner(signing_key).sign(
        principal, account_id=new_id(), session_id=new_id(), now=int(clock.now)
    )
    assert (await SessionVerifier(keys).verify(session)).principal == principal
    with pytest.raises(Unauthenticated):
        await PassportVerifier(keys).verify(session)
    with pytest.raises(Unauthenticated):
        await SessionVerifier(keys).verify(token)


@pytest.mark.parametrize(
    ("claim", "offset", "is_good"),
    [("exp", -61, False), ("exp", -30, True), ("nbf", 61, False), ("nbf", 30, True)],
)
async def test_tok_05_times_are_held_to_their_leeway(
    verifier: PassportVerifier,
    forge: Forge,
    clock: SimpleNamespace,
    claim: str,
    offset: int,
    *,
    is_good: bool,
) -> None:
    token = forge(**{claim: int(clock.now) + offset})
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)
    if is_good:
        assert (await verifier.verify(token, leeway_seconds=60)).client == "a1b2"
    else:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token, leeway_seconds=60)


@pytest.mark.parametrize("exp", ["9999999999", 9_999_999_999.5, ..., None, True, [], 1e400])
async def test_tok_06_an_end_that_is_no_whole_number_is_refused(
    verifier: PassportVerifier, forge: Forge, exp: object
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(exp=exp))


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"7",
        b"not json",
        b"\xff",
        b"[" * 2_000,
        b'{"exp": ' + b"9" * 2_500 + b"}",
    ],
)
async def test_tok_06_a_payload_that_is_no_set_of_claims_is_refused(
    verifier: PassportVerifier, forge: Forge, payload: bytes
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(payload=payload))


async def test_tok_06_a_claim_that_is_there_twice_is_refused(
    verifier: PassportVerifier, forge: Forge, claims: dict[str, Any]
) -> None:
    once = json.dumps(claims)
    assert (await verifier.verify(forge(payload=once.encode()))).client == "a1b2"
    twice = once[:-1] + f', "exp": {claims["exp"]}}}'
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(payload=twice.encode()))


@pytest.mark.parametrize("shape", [{}, "admin", None, {"credential": "session"}])
async def test_claims_of_another_shape_are_refused(
    verifier: PassportVerifier, forge: Forge, shape: object
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(principal=shape))
