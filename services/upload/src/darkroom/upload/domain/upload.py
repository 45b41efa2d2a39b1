"""One upload: its two ids, and the places its bytes pass through."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Upload:
    upload_id: UUID
    image_id: UUID
    begun_at: datetime

    @property
    def staging_key(self) -> str:
        """Where bytes wait until they are an image; what stays here is swept after a day."""
        return f"staging/{self.upload_id}"

    @property
    def original_key(self) -> str:
        """Where an image's bytes stay; nothing a client says is part of it."""
        return f"originals/{self.begun_at:%Y/%m}/{self.image_id}"
