"""What a request or a reply carries: bytes, a file by its path, or a file that is open."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

from darkroom.platform.storage.blobs import Content

# Fewer hops to the file thread than the default, still little memory for each transfer.
CHUNK_BYTES: Final = 262_144

# Fewer writes than chunks arrive: each one is a hop to a file thread.
_WRITE_BYTES: Final = 1_048_576

Body = Content | None


def body_length(body: Content) -> int:
    """Return how many bytes a body has."""
    if isinstance(body, bytes):
        return len(body)
    status = body.stat() if isinstance(body, Path) else os.fstat(body.fileno())
    return status.st_size


def pieces(body: Body) -> bytes | AsyncIterator[bytes] | None:
    """Return a body as a request sends it: from its start, a file chunk by chunk."""
    if isinstance(body, Path):
        return _path_chunks(body)
    if body is None or isinstance(body, bytes):
        # A large body written at once would hold the loop while the kernel takes it.
        return _byte_chunks(body) if body and len(body) > CHUNK_BYTES else body
    return _file_chunks(body)


async def _byte_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


async def _path_chunks(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        async for chunk in _file_chunks(file):
            yield chunk


async def _file_chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    # Read by offset, because a cancelled try may leave a thread that still reads: it would move
    # the position under the next one.
    number, offset = file.fileno(), 0
    while chunk := await asyncio.to_thread(os.pread, number, CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)


async def write_file(path: Path, chunks: AsyncIterator[bytes]) -> None:
    """Write what arrives to a file, a megabyte at a time."""
    with path.open("wb") as file:
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            if len(gathered) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(gathered))
                gathered.clear()
        if gathered:
            await asyncio.to_thread(file.write, bytes(gathered))
