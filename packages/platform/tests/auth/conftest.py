import base64
import json
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from darkroom.contracts.claims import ALL_SCOPES, DEFAULT_PLANS, CredentialKind, Principal
from darkroom.contracts.ids import new_id
from darkroom.contracts.surfaces import Surface
from darkroom.platform.auth.keys import SigningKey
from darkroom.platform.auth.passport import PassportSigner, PassportVerifier

Forge = Callable[..., str]


class RecordingKeySet:
    def __init__(self, key: SigningKey, asked: list[str]) -> None:
        self.keys = {key.kid: key.public}
        self.asked = asked

    async def key_for(self, kid: str) -> Ed25519PublicKey | None:
        self.asked.append(kid)
        return self.keys.get(kid)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def key_set(signing_key: SigningKey, asked: list[str]) -> RecordingKeySet:
    return RecordingKeySet(signing_key, asked)


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now=time.time())


@pytest.fixture
def verifier(key_set: RecordingKeySet, clock: SimpleNamespace) -> PassportVerifier:
    return PassportVerifier(key_set, clock=lambda: float(clock.now))


@pytest.fixture
def token(signing_key: SigningKey, principal: Principal, clock: SimpleNamespace) -> str:
    signer = PassportSigner(signing_key)
    return signer.sign(principal, surface=Surface.PARTR, client="a1b2", now=int(clock.now))


@pytest.fixture
def principal() -> Principal:
    return Principal(
        credential=CredentialKind.KEY,
        account_id=new_id(),
        key_id=new_id(),
        scopes=ALL_SCOPES,
        limits=DEFAULT_PLANS["free"],
    )


@pytest.fixture
def claims(principal: Principal) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "darkroom-gateway",
        "aud": "darkroom-services",
        "principal": principal.model_dump(mode="json"),
        "surface": "partr",
        "client": "a1b2",
        "iat": now,
        "exp": now + 60,
    }


@pytest.fixture
def forge(signing_key: SigningKey, claims: dict[str, Any]) -> Forge:
    def encode(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def make(
        *, header: Mapping[str, Any] | None = None, payload: bytes | None = None, **changes: Any
    ) -> str:
        names = {"alg": "EdDSA", "kid": signing_key.kid, "typ": "passport+jwt", **(header or {})}
        changed = {name: value for name, value in (claims | changes).items() if value is not ...}
        body = payload or json.dumps(changed).encode()
        signed = f"{encode(json.dumps(names).encode())}.{encode(body)}"
        return f"{signed}.{encode(signing_key.private.sign(signed.encode()))}"

    return make
