"""The port to the object store: whole objects in, whole or partial objects out.

Keys are paths of plain segments, and no key is another's folder. An object under a key is written
once, or again with the same meaning: every write may be repeated.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from darkroom.platform.errors import NotFound

# An open file is sent from its first byte, wherever it stands, and stays open: unlike a path, it
# cannot come to name other bytes between a check and the sending.
Content = Path | bytes | BinaryIO


class BlobMissing(NotFound):
    """There is no object under the key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Describe a stored object; the ETag carries no quotes."""

    key: str
    size_bytes: int
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Describe an object met while listing."""

    key: str
    size_bytes: int
    modified_at: datetime


class BlobReader(Protocol):
    """Read one object, or a part of it, while its context is open."""

    @property
    def size(self) -> int:
        """Return the size of the whole object, whatever part was asked for."""
        ...

    @property
    def etag(self) -> str:
        """Return the object's ETag without quotes."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes asked for, once; raises Unavailable when the store goes away."""
        ...


class BlobStore(Protocol):
    """Keep objects. Every call raises Unavailable when the store cannot be had."""

    async def put(self, key: str, body: Content, *, media_type: str) -> Stored:
        """Store an object; it becomes visible whole or not at all."""
        ...

    def open(
        self, key: str, *, start: int = 0, stop: int | None = None
    ) -> AbstractAsyncContextManager[BlobReader]:
        """Open the bytes from `start` up to but not including `stop`; raises BlobMissing.

        A part that begins at or behind the end raises ValueError.
        """
        ...

    async def fetch_to(self, key: str, path: Path) -> None:
        """Write an object to a file, all of it; raises BlobMissing. A failed one leaves a part."""
        ...

    async def copy(self, source: str, target: str) -> None:
        """Copy an object within the store; raises BlobMissing when there is no source."""
        ...

    async def head(self, key: str) -> Stored | None:
        """Describe an object, or return None."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; absent is fine."""
        ...

    def list(self, prefix: str) -> AsyncIterator[Listed]:
        """Yield the objects below a prefix in the order of their keys."""
        ...

    async def check(self) -> None:
        """Raise Unavailable unless the store answers; for readiness."""
        ...
