"""Whose library: an account in one stage; the two never see each other's images."""

from dataclasses import dataclass
from uuid import UUID

from darkroom.contracts.surfaces import Stage


@dataclass(frozen=True, slots=True)
class Owner:
    account_id: UUID
    stage: Stage
