import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.contracts.claims import PASSPORT_TTL_SECONDS, Principal
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth import tokens
from darkroom.platform.auth.keys import SigningKey, local_key_set, make_signing_key
from darkroom.platform.auth.passport import PassportSigner, PassportVerifier
from darkroom.platform.errors import Unauthenticated

Forge = Callable[..., str]


async def test_a_passport_says_what_was_signed(
    verifier: PassportVerifier, token: str, principal: Principal, clock: SimpleNamespace
) -> None:
    passport = await verifier.verify(token)
    assert passport.principal == principal
    assert (passport.surface, passport.client) == (Surface.PARTR, "a1b2")
    assert passport.exp == int(clock.now) + PASSPORT_TTL_SECONDS


async def test_a_forged_token_of_the_right_shape_is_accepted_so_that_the_refusals_mean_something(
    verifier: PassportVerifier, forge: Forge
) -> None:
    assert (await verifier.verify(forge())).client == "a1b2"


async def test_a_repeated_passport_is_not_verified_again(
    verifier: PassportVerifier, asked: list[str], token: str
) -> None:
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert len(asked) == 1


async def test_remembered_passports_are_bounded(
    verifier: PassportVerifier, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHED_TOKENS", 3)
    for number in range(5):
        await verifier.verify(forge(client=str(number)))
    assert len(verifier._tokens._verified) == 3


async def test_a_remembered_passport_ends_with_its_second(
    verifier: PassportVerifier, token: str, clock: SimpleNamespace
) -> None:
    await verifier.verify(token)
    clock.now = int(clock.now) + PASSPORT_TTL_SECONDS
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)
    assert (await verifier.verify(token, leeway_seconds=3_600)).client == "a1b2"
    clock.now += 3_600
    with pytest.raises(Unauthenticated):
        await verifier.verify(token, leeway_seconds=3_600)


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", "ES256", None, ["EdDSA"]])
async def test_tok_01_another_algorithm_is_refused(
    verifier: PassportVerifier, forge: Forge, algorithm: object
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(header={"alg": algorithm}))


async def test_tok_01_an_empty_signature_is_refused(
    verifier: PassportVerifier, forge: Forge
) -> None:
    header, payload, _ = forge().split(".")
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"{header}.{payload}.")


async def test_tok_02_our_public_key_is_no_shared_secret(
    verifier: PassportVerifier, signing_key: SigningKey, claims: dict[str, Any]
) -> None:
    secret = signing_key.public.public_bytes_raw()
    headers = {"kid": signing_key.kid, "typ": "passport+jwt"}
    token = jwt.encode(claims, secret, algorithm="HS256", headers=headers)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/keys"},
        {"crit": ["exp"]},
        {"kid": "../../x"},
        {"kid": "' or 1=1"},
        {"kid": "x" * 10_000},
        {"kid": "line\n"},
        {"kid": 7},
        {"kid": None},
    ],
)
async def test_tok_03_a_header_that_wants_to_be_followed_is_refused_before_any_look_up(
    verifier: PassportVerifier, asked: list[str], forge: Forge, header: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(header=header))
    assert asked == []


async def test_tok_08_a_second_spelling_of_a_signature_is_refused(
    verifier: PassportVerifier, token: str
) -> None:
    await verifier.verify(token)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes leave four bits of the last character without a meaning.
    other = token[:-1] + letters[letters.index(token[-1]) ^ 1]
    signature = base64.urlsafe_b64decode(other.rpartition(".")[2] + "==")
    assert signature == base64.urlsafe_b64decode(token.rpartition(".")[2] + "==")
    with pytest.raises(Unauthenticated):
        await verifier.verify(other)


async def test_tok_09_a_token_ends_with_its_key(
    principal: Principal, signing_key: SigningKey, clock: SimpleNamespace
) -> None:
    retired = make_signing_key()
    sign = PassportSigner(retired).sign
    token = sign(principal, surface=Surface.PARTR, client="x", now=int(clock.now))
    overlap = PassportVerifier(local_key_set(signing_key, retired), clock=lambda: float(clock.now))
    assert (await overlap.verify(token)).client == "x"
    with pytest.raises(Unauthenticated):
        await PassportVerifier(local_key_set(signing_key), clock=lambda: float(clock.now)).verify(
            token
        )


async def test_a_key_id_borrowed_from_another_key_opens_nothing(
    verifier: PassportVerifier,
    principal: Principal,
    signing_key: SigningKey,
    clock: SimpleNamespace,
) -> None:
    impostor = SigningKey(signing_key.kid, make_signing_key().private)
    sign = PassportSigner(impostor).sign
    token = sign(principal, surface=Surface.PARTR, client="x", now=int(clock.now))
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")))
async def test_any_other_text_is_unauthenticated_and_breaks_nothing(
    verifier: PassportVerifier, text: str
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(text)


@pytest.mark.parametrize("header", [b"[" * 2_900, b"{}", b"[]", b"\xff", b'{"alg": "EdDSA"'])
async def test_a_header_that_is_none_is_refused(verifier: PassportVerifier, header: bytes) -> None:
    encoded = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"{encoded}.e30.e30")
