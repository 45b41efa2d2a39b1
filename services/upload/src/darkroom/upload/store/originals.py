"""The object store, as upload needs it: first to staging, then to the final key.

Needs put, copy and delete under `staging/` and `originals/` of one bucket.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

from darkroom.platform.errors import NotFound, ServiceError
from darkroom.platform.storage.blobs import BlobStore
from darkroom.platform.telemetry.logs import get_logger
from darkroom.upload.domain.errors import StoreUnavailable
from darkroom.upload.domain.upload import Upload
from darkroom.upload.store.spool import Spooled

# A store that has not answered after this is away; large files get time at 5 MB a second.
BASE_DEADLINE_SECONDS: Final = 10.0
SLOWEST_BYTES_PER_SECOND: Final = 5_000_000
# Deletions waiting for a slow store; beyond these the sweep finds what is left.
MOST_REMOVALS: Final = 256

log = get_logger()


@dataclass(frozen=True, slots=True)
class Originals:
    blobs: BlobStore
    removals: set[asyncio.Task[None]] = field(default_factory=set)

    async def stage(self, upload: Upload, spooled: Spooled, *, media_type: str) -> None:
        """Put the bytes under the upload's own key, where nothing serves them."""
        async with _deadline(spooled.size_bytes):
            await self.blobs.put(upload.staging_key, spooled.path, media_type=media_type)

    async def keep(self, upload: Upload, size_bytes: int) -> None:
        """Copy staged bytes to the image's key; the bytes do not pass through here again."""
        async with _deadline(size_bytes):
            await self.blobs.copy(upload.staging_key, upload.original_key)

    async def remove(self, *keys: str) -> None:
        """Delete what nobody needs; what the store keeps none the less, the sweep finds."""
        for key in keys:
            try:
                async with asyncio.timeout(BASE_DEADLINE_SECONDS):
                    await self.blobs.delete(key)
            except (ServiceError, TimeoutError) as error:
                log.warning("object_left_over", key=key, error=repr(error))

    def remove_later(self, key: str) -> None:
        """Delete without having anybody wait for it."""
        if len(self.removals) >= MOST_REMOVALS:
            log.warning("object_left_over", key=key)
            return
        task = asyncio.create_task(self.remove(key))
        self.removals.add(task)
        task.add_done_callback(self.removals.discard)


@asynccontextmanager
async def open_originals(blobs: BlobStore) -> AsyncIterator[Originals]:
    """Front a store; on leaving, wait for the deletions under way."""
    originals = Originals(blobs)
    try:
        yield originals
    finally:
        await asyncio.gather(*originals.removals)


@asynccontextmanager
async def _deadline(size_bytes: int) -> AsyncIterator[None]:
    """Turn whatever the store does wrong into one answer: later."""
    seconds = BASE_DEADLINE_SECONDS + size_bytes / SLOWEST_BYTES_PER_SECOND
    try:
        async with asyncio.timeout(seconds):
            with _store_errors():
                yield
    except TimeoutError as error:
        raise StoreUnavailable(waited_seconds=seconds) from error


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except NotFound as error:
        # Staged and yet not there: the store lied, and the client's 404 would be nonsense.
        raise StoreUnavailable(error=repr(error)) from error
    except ServiceError as error:
        raise StoreUnavailable(error=repr(error), context=error.context) from error
