"""Pages of an album, newest first, at the same cost at any depth.

Images are numbered per album. Counts are kept per bucket of numbers and status, so the start of
a page is found by summing buckets, and what is left to skip is always less than one bucket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from darkroom.catalog.domain.image import Image
from darkroom.contracts.images import ImageStatus

# A million images make a thousand buckets to sum and at most a thousand rows to skip:
# the two costs are level, and each is below a millisecond.
BUCKET_SIZE: Final = 1_000


def bucket_of(album_seq: int) -> int:
    return album_seq // BUCKET_SIZE


@dataclass(frozen=True, slots=True)
class PageRequest:
    page: int
    limit: int
    status: ImageStatus | None = None

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.limit


@dataclass(frozen=True, slots=True)
class Page:
    images: Sequence[Image]
    total: int
    page: int
    limit: int

    @property
    def total_pages(self) -> int:
        return -(-self.total // self.limit)
