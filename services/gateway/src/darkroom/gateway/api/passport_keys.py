"""The public keys that verify passports, for the services."""

from typing import Any, Final

from fastapi import APIRouter, Request

from darkroom.contracts.credentials import PASSPORT_KEYS_PATH
from darkroom.gateway.wiring import Resources
from darkroom.platform.auth.keys import public_key_set

router: Final = APIRouter(include_in_schema=False)


@router.get(PASSPORT_KEYS_PATH)
async def passport_keys(request: Request) -> dict[str, Any]:
    """List the public keys passports may be signed with, as a JWKS document."""
    resources: Resources = request.app.state.resources
    return public_key_set(resources.signing_key)
