"""Comparing the bucket with the database, in little memory."""

import hashlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

# Enough to start looking; the counts tell the rest.
SAMPLES: Final = 100
# Eight bytes of a hash a key: three million objects fit in 24 MB, and two of them share a
# fingerprint with a chance of one in four million.
_FINGERPRINT_BYTES: Final = 8


class SeenKeys:
    """Remember which keys a listing named, at eight bytes each; asked only after `seal`."""

    def __init__(self) -> None:
        self._prints = array("Q")

    def add(self, key: str) -> None:
        self._prints.append(_fingerprint(key))

    def seal(self) -> None:
        self._prints = array("Q", sorted(self._prints))

    def __contains__(self, key: str) -> bool:
        wanted = _fingerprint(key)
        place = bisect_left(self._prints, wanted)
        return place < len(self._prints) and self._prints[place] == wanted

    def __len__(self) -> int:
        return len(self._prints)


@dataclass(slots=True)
class Finding:
    """How many keys were found in one state, and the first of them."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def note(self, key: str) -> None:
        self.count += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(key)


@dataclass(slots=True)
class Report:
    """`orphans` are objects without a row; `missing` are rows whose object is not there."""

    started_at: datetime
    finished_at: datetime | None = None
    objects: int = 0
    rows: int = 0
    orphans: Finding = field(default_factory=Finding)
    missing: Finding = field(default_factory=Finding)


@dataclass(slots=True)
class LatestReport:
    """Where the last comparison is left for whoever asks."""

    report: Report | None = None


def _fingerprint(key: str) -> int:
    digest = hashlib.blake2b(key.encode(), digest_size=_FINGERPRINT_BYTES).digest()
    return int.from_bytes(digest, "big")
