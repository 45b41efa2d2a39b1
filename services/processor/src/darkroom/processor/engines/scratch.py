"""Scratch space: one private folder a job, in memory where there is room.

Needs a folder only this process writes to. A folder left behind by a killed process is removed
by the next one that starts: whoever lives holds a lock inside its own.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Final

from darkroom.platform.errors import Unavailable

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are made private, with random names
# The largest original, 500 MB, and its renditions at their worst.
ROOM_BYTES: Final = 1_500_000_000
# Below this the next ordinary job would not fit: the process is not ready.
LEAST_BYTES: Final = 64_000_000
_PREFIX: Final = "darkroom-processor-"


class Scratch:
    """Folders for jobs below one root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make a folder, and remove it with all that is in it."""
        try:
            path = Path(tempfile.mkdtemp(dir=self.root))
        except OSError as error:
            raise Unavailable("There is no scratch space.", reason=repr(error)) from error
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    async def check(self) -> None:
        """Raise Unavailable while there is no room for another job."""
        if shutil.disk_usage(self.root).free < LEAST_BYTES:
            raise Unavailable("There is no scratch space.")


@contextmanager
def open_scratch(fallback: Path) -> Iterator[Scratch]:
    """Take memory when it has room, else the given folder."""
    parent = MEMORY if _has_room(MEMORY) else fallback
    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent)
    root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    with _locked(root):
        try:
            yield Scratch(root)
        finally:
            shutil.rmtree(root, ignore_errors=True)


def is_plain_file(path: Path) -> bool:
    """Tell whether a child left a file of its own there, and not a link to somebody else's."""
    try:
        return S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM_BYTES


@contextmanager
def _locked(root: Path) -> Iterator[IO[bytes]]:
    with (root / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def _remove_abandoned(parent: Path) -> None:
    for root in parent.glob(f"{_PREFIX}*"):
        # A folder without its lock file is being made this moment, and is left alone.
        with suppress(OSError), (root / "lock").open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(root, ignore_errors=True)
