"""The spool: each upload's bytes in one temporary file, hashed while they are written.

Needs a directory on a local disk with room for the uploads under way. A process works in a folder
of its own under a lock, so that whoever starts next can tell the leftovers of the dead.
"""

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from darkroom.contracts.ids import new_id
from darkroom.platform.telemetry.logs import get_logger
from darkroom.upload.domain.errors import SpoolFull, TooManyOfAccount, TooManyUploads

# Written and hashed off the loop in pieces of this size: 1 ms of work a hand-over, and at most
# two pieces of memory an upload.
PIECE_BYTES: Final = 512 * 1024
FOLDER_PREFIX: Final = "spool-"
LOCK_NAME: Final = "lock"

log = get_logger()


@dataclass(frozen=True, slots=True)
class Spooled:
    path: Path
    size_bytes: int
    sha256: str


class Spool:
    """One upload's file. Bytes are taken in at once and written in turn by `drain`."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self._size_bytes = 0

    def take(self, piece: memoryview) -> None:
        """Keep a piece in memory; `drain` must follow before much more is taken."""
        self._waiting += piece
        self._size_bytes += len(piece)

    async def drain(self) -> None:
        """Hand a full piece to a thread, and wait only while the one before is being written."""
        if len(self._waiting) >= PIECE_BYTES:
            await self._hand_over()

    async def finish(self) -> Spooled:
        """Wait until every byte is in the file and hashed."""
        await self._hand_over()
        await self._settle()
        return Spooled(self._path, self._size_bytes, self._digest.hexdigest())

    async def discard(self) -> None:
        """Remove the file, whatever became of it."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        # A disk that was full when bytes were written is full when they are flushed.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)  # noqa: PTH108 - a quick call, not worth a thread

    async def _hand_over(self) -> None:
        await self._settle()
        piece, self._waiting = self._waiting, bytearray()
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, piece))

    async def _settle(self) -> None:
        if self._writing is None:
            return
        try:
            # A thread cannot be stopped; a cancelled request must still know when it has ended.
            await asyncio.shield(self._writing)
        except OSError as error:
            raise _spool_error(error) from error

    def _write(self, piece: bytearray) -> None:
        self._digest.update(piece)
        self._file.write(piece)
        self._file.flush()


@dataclass(slots=True)
class SpoolDirectory:
    """Bounds how many uploads are under way, and refuses one the disk has no room for.

    Each account has its own bound within that, so that none fills the house by itself.
    """

    folder: Path
    most_under_way: int
    most_per_account: int
    reserve_bytes: int
    under_way: int = 0
    under_way_of: Counter[UUID | None] = field(default_factory=Counter)
    promised_bytes: int = 0

    @asynccontextmanager
    async def open(self, *, expected_bytes: int, uploader_id: UUID | None) -> AsyncIterator[Spool]:
        """Open a file that is removed on leaving.

        Raises TooManyUploads or TooManyOfAccount at once rather than let anybody wait, and
        SpoolFull where the bytes expected would not fit.
        """
        with self._admit(expected_bytes, uploader_id):
            path = self.folder / str(new_id())
            try:
                file = path.open("xb")
            except OSError as error:
                raise _spool_error(error) from error
            spool = Spool(path, file)
            try:
                yield spool
            finally:
                await spool.discard()

    @contextmanager
    def _admit(self, expected_bytes: int, uploader_id: UUID | None) -> Iterator[None]:
        if self.under_way >= self.most_under_way:
            raise TooManyUploads(under_way=self.under_way)
        if self.under_way_of[uploader_id] >= self.most_per_account:
            raise TooManyOfAccount(account_id=str(uploader_id))
        promised = self.promised_bytes + expected_bytes
        if shutil.disk_usage(self.folder).free < promised + self.reserve_bytes:
            raise SpoolFull(promised_bytes=promised)
        self.under_way += 1
        self.under_way_of[uploader_id] += 1
        self.promised_bytes += expected_bytes
        try:
            yield
        finally:
            self.under_way -= 1
            self.under_way_of -= Counter((uploader_id,))
            self.promised_bytes -= expected_bytes


@contextmanager
def open_spool_directory(
    root: Path, *, most_under_way: int, most_per_account: int, reserve_bytes: int
) -> Iterator[SpoolDirectory]:
    """Make this process's folder and remove those of processes that have ended."""
    root.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(root)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=root))
    with (folder / LOCK_NAME).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield SpoolDirectory(folder, most_under_way, most_per_account, reserve_bytes)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(root: Path) -> None:
    for folder in root.glob(f"{FOLDER_PREFIX}*"):
        if _is_abandoned(folder):
            log.warning("spool_leftover_removed", folder=folder.name)
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Tell whether no living process holds the folder; the system drops a lock with its holder."""
    try:
        with (folder / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        # Its process died between two calls, or is making it at this moment; the next start tells.
        return False
    except OSError as error:
        return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True


def _spool_error(error: OSError) -> SpoolFull:
    # Full, over quota or broken: the file cannot be taken here, and may be elsewhere or later.
    return SpoolFull(error=repr(error))
