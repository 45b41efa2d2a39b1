import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.contracts.claims import PASSPORT_TTL_SECONDS, Principal
from darkroom.contracts.ids import new_id
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth import tokens
from darkroom.platform.auth.keys import SigningKey, local_key_set, make_signing_key
from darkroom.platform.auth.passport import PassportSigner, PassportVerifier
from darkroom.platform.auth.sessions import SessionSigner, SessionVerifier
from darkroom.platform.errors import Unauthenticated

Forge = Callable[..., str]


class RecordingKeySet:
    def __init__(self, *keys: SigningKey) -> None:
        self.keys = {key.kid: key.public for key in keys}
        self.asked: list[str] = []

    async def key_for(self, kid: str) -> Ed25519PublicKey | None:
        self.asked.append(kid)
        return self.keys.get(kid)


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key_set(signing_key: SigningKey) -> RecordingKeySet:
    return RecordingKeySet(signing_key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(key_set: RecordingKeySet, clock: Clock) -> PassportVerifier:
    return PassportVerifier(key_set, clock=clock)


@pytest.fixture
def token(signing_key: SigningKey, principal: Principal, clock: Clock) -> str:
    signer = PassportSigner(signing_key)
    return signer.sign(principal, surface=Surface.PARTR, client="a1b2", now=int(clock.now))


async def test_a_passport_says_what_was_signed(
    verifier: PassportVerifier, token: str, principal: Principal, clock: Clock
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
    verifier: PassportVerifier, key_set: RecordingKeySet, token: str
) -> None:
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert len(key_set.asked) == 1


async def test_remembered_passports_are_bounded(
    verifier: PassportVerifier, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHED_TOKENS", 3)
    for number in range(5):
        await verifier.verify(forge(client=str(number)))
    assert len(verifier._tokens._verified) == 3


async def test_a_remembered_passport_ends_with_its_second(
    verifier: PassportVerifier, token: str, clock: Clock
) -> None:
    await verifier.verify(token)
    clock.now = int(clock.now) + PASSPORT_TTL_SECONDS
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)
    assert await verifier.verify(token, leeway_seconds=3_600)
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
    verifier: PassportVerifier, key_set: RecordingKeySet, forge: Forge, header: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(header=header))
    assert key_set.asked == []


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
    signing_key: SigningKey, principal: Principal, token: str, clock: Clock
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
    clock: Clock,
    claim: str,
    offset: int,
    *,
    is_good: bool,
) -> None:
    token = forge(**{claim: int(clock.now) + offset})
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)
    if is_good:
        assert await verifier.verify(token, leeway_seconds=60)
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
    assert await verifier.verify(forge(payload=once.encode()))
    twice = once[:-1] + f', "exp": {claims["exp"]}}}'
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(payload=twice.encode()))


@pytest.mark.parametrize("shape", [{}, "admin", None, {"credential": "session"}])
async def test_claims_of_another_shape_are_refused(
    verifier: PassportVerifier, forge: Forge, shape: object
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(forge(principal=shape))


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
    principal: Principal, signing_key: SigningKey, clock: Clock
) -> None:
    retired = make_signing_key()
    sign = PassportSigner(retired).sign
    token = sign(principal, surface=Surface.PARTR, client="x", now=int(clock.now))
    overlap = PassportVerifier(local_key_set(signing_key, retired), clock=clock)
    assert await overlap.verify(token)
    with pytest.raises(Unauthenticated):
        await PassportVerifier(local_key_set(signing_key), clock=clock).verify(token)


async def test_a_key_id_borrowed_from_another_key_opens_nothing(
    verifier: PassportVerifier, principal: Principal, signing_key: SigningKey, clock: Clock
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
