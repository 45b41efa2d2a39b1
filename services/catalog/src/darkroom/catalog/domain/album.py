"""An album: a named, ordered set of an account's images."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from darkroom.catalog.domain.owner import Owner
from darkroom.contracts.images import Visibility

# Made for each account and stage at its first upload that names no album.
DEFAULT_ALBUM_TITLE: Final = "Uploads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    id: UUID
    owner: Owner
    title: str
    description: str | None
    visibility: Visibility
    tags: tuple[str, ...]
    is_default: bool
    created_at: datetime
