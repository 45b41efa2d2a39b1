"""What the rest of the platform must know about accounts and their keys."""

from uuid import UUID

from darkroom.contracts.event import Event


class KeyRevokedV1(Event, subject="darkroom.accounts.key_revoked.v1"):
    """An API key was revoked: every cached answer about it is void at once."""

    account_id: UUID
    key_id: UUID
