"""An account's API keys: create, list, revoke; for signed-in people only."""

from uuid import UUID

from fastapi import APIRouter, Depends

from darkroom.auth.api.accounts import forbid_storing
from darkroom.auth.api.bodies import SmallBodyRoute
from darkroom.auth.api.schemas import (
    CreatedKeyView,
    CreateKeyRequest,
    KeyListView,
    KeyView,
    MessageView,
)
from darkroom.auth.domain.errors import KeyUnknown
from darkroom.auth.operations.keys import create_key, list_keys, revoke_key
from darkroom.auth.wiring import Now, Owner, Wired
from darkroom.contracts.ids import InvalidId, Prefix, decode_id
from darkroom.platform.db.session import Session

router = APIRouter(
    prefix="/api/v1/keys",
    tags=["keys"],
    route_class=SmallBodyRoute,
    dependencies=[Depends(forbid_storing)],
)


@router.head("", include_in_schema=False)
@router.get("", operation_id="listKeys")
async def list_own_keys(owner: Owner, session: Session) -> KeyListView:
    """List the account's keys, newest first, without their text; revoked ones are left out."""
    keys = await list_keys(session, owner=owner)
    return KeyListView(keys=[KeyView.of(key) for key in keys])


@router.post("", status_code=201, operation_id="createKey")
async def create_own_key(
    owner: Owner, body: CreateKeyRequest, wired: Wired, session: Session, now: Now
) -> CreatedKeyView:
    """Make a key. The reply's `key` is the only time its text is shown."""
    minted = await create_key(
        session, body.wanted(), owner=owner, pepper=wired.issuer.pepper, now=now
    )
    return CreatedKeyView.showing(minted)


@router.delete("/{key_id}", operation_id="revokeKey")
async def revoke_own_key(key_id: str, owner: Owner, session: Session, now: Now) -> MessageView:
    """Revoke a key; it stops working everywhere within a second. Repeating it is fine."""
    await revoke_key(session, _decoded(key_id), owner=owner, now=now)
    return MessageView(message="The key is revoked.")


def _decoded(key_id: str) -> UUID:
    try:
        return decode_id(key_id, Prefix.KEY)
    except InvalidId as error:
        raise KeyUnknown from error
