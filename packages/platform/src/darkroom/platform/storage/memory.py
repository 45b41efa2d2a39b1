"""An object store in memory, for tests of whoever stores."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from darkroom.platform.storage.blobs import BlobMissing, Content, Listed, Stored


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    media_type: str
    modified_at: datetime

    @property
    def etag(self) -> str:
        # What S3 answers for an object of one part; it names bytes and protects nothing.
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class MemoryBlobReader:
    """Read a part of an object that is already in memory."""

    size: int
    etag: str
    content: bytes

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the part at once."""
        if self.content:
            yield self.content


class MemoryBlobStore:
    """Keep objects as long as the process lives."""

    def __init__(self) -> None:
        self._objects: dict[str, _Object] = {}

    async def put(self, key: str, body: Content, *, media_type: str) -> Stored:
        """Store an object."""
        content = body if isinstance(body, bytes) else await asyncio.to_thread(_read, body)
        self._objects[key] = _Object(content, media_type, datetime.now(UTC))
        return self._stored(key)

    @asynccontextmanager
    async def open(
        self, key: str, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[MemoryBlobReader]:
        """Open a part of an object."""
        found = self._found(key)
        size = len(found.content)
        if start and start >= size:
            raise ValueError(f"the object ends at {size}")
        yield MemoryBlobReader(size, found.etag, found.content[start:stop])

    async def fetch_to(self, key: str, path: Path) -> None:
        """Write an object to a file."""
        await asyncio.to_thread(path.write_bytes, self._found(key).content)

    async def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        found = self._found(source)
        self._objects[target] = _Object(found.content, found.media_type, datetime.now(UTC))

    async def head(self, key: str) -> Stored | None:
        """Describe an object, or return None."""
        return self._stored(key) if key in self._objects else None

    async def delete(self, key: str) -> None:
        """Remove an object."""
        self._objects.pop(key, None)

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        """Yield the objects below a prefix."""
        for key in sorted(self._objects):
            if key.startswith(prefix) and key in self._objects:
                found = self._objects[key]
                yield Listed(key, len(found.content), found.modified_at)

    async def check(self) -> None:
        """Do nothing: memory is always there."""

    def _found(self, key: str) -> _Object:
        if key not in self._objects:
            raise BlobMissing(key=key)
        return self._objects[key]

    def _stored(self, key: str) -> Stored:
        found = self._objects[key]
        return Stored(key, len(found.content), found.etag)


def _read(body: Path | BinaryIO) -> bytes:
    if isinstance(body, Path):
        return body.read_bytes()
    body.seek(0)
    return body.read()
