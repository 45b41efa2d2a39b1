"""What the gateway asks on the inner network, and the public keys anybody may have."""

from typing import Any

from fastapi import APIRouter

from darkroom.auth.api.bodies import SmallBodyRoute
from darkroom.auth.operations.keys import identify_key
from darkroom.auth.wiring import Now, Wired
from darkroom.contracts.credentials import (
    KEY_CHECK_PATH,
    SESSION_KEYS_PATH,
    KeyCheck,
    KeyHolder,
)
from darkroom.platform.auth.keys import public_key_set
from darkroom.platform.db.session import Session

router = APIRouter(tags=["platform"], route_class=SmallBodyRoute)


@router.post(KEY_CHECK_PATH, include_in_schema=False)
async def check_key(body: KeyCheck, wired: Wired, session: Session, now: Now) -> KeyHolder:
    """Answer whom a key stands for, or 401 for one that opens nothing."""
    principal = await identify_key(
        session,
        body.key.get_secret_value(),
        pepper=wired.issuer.pepper,
        plans=wired.issuer.plans,
        now=now,
    )
    if principal.key_id is not None:
        wired.last_used.note(principal.key_id, now=now)
    return KeyHolder(principal=principal)


@router.head(SESSION_KEYS_PATH, include_in_schema=False)
@router.get(SESSION_KEYS_PATH, include_in_schema=False)
async def give_session_keys(wired: Wired) -> dict[str, Any]:
    """Give the gateway the public keys that verify session tokens."""
    return public_key_set(wired.session_key)


@router.head("/.well-known/jwks.json", include_in_schema=False)
@router.get("/.well-known/jwks.json", operation_id="getPublicKeys")
async def give_public_keys(wired: Wired) -> dict[str, Any]:
    """Give the public keys that verify session tokens, as a JWKS document."""
    return public_key_set(wired.session_key)
