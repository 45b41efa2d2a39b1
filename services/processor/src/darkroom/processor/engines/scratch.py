"""Scratch space: one private folder a job, in memory where there is room.

Needs a folder only this process writes to. A folder left behind by a killed process is removed
by the next one that starts: whoever lives holds a lock inside its own.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import IO, Final

from darkroom.platform.errors import BadReply, Unavailable

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders in it are made private, with random names
# The largest original, 500 MB, and its renditions at their worst.
ROOM_BYTES: Final = 1_500_000_000
# Below this the next ordinary job would not fit: the process is not ready.
LEAST_BYTES: Final = 64_000_000
_PREFIX: Final = "darkroom-processor-"


class NotPlain(BadReply):
    """There is a link, a pipe or a folder where a file was to be."""


class Scratch:
    """Folders for jobs below one root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Make a folder, and remove it with all that is in it.

        An OSError within the context is the scratch space's: it is full or fails, and that says
        nothing about an image.
        """
        try:
            path = Path(tempfile.mkdtemp(dir=self.root))
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            raise Unavailable("Scratch space is full or fails.", reason=repr(error)) from error

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


def open_plain(path: Path) -> BufferedReader:
    """Open a file where a child may write; what is open is the file that was checked.

    Raises NotPlain for anything else under the name: neither is a link followed to somebody
    else's file, nor does a pipe without a writer make us wait.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotPlain(name=path.name) from error
        raise
    if not S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotPlain(name=path.name)
    return os.fdopen(number, "rb")


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
