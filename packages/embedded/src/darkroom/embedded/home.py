"""The folder that holds everything between two starts: stores, secrets, logs."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkroom.embedded.errors import StartError

# The cluster takes 40 MB, a first hour of uploads and logs the rest.
NEEDED_BYTES: Final = 200_000_000
_FOLDERS: Final = ("logs", "secrets", "mail", "spool", "scratch")


@dataclass(frozen=True, slots=True)
class Home:
    """Know the places below the home; only `prepare` and the secrets write there."""

    path: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def log(self, name: str) -> Path:
        """Return where a child's output goes."""
        return self.path / "logs" / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders; raises StartError when that cannot be, or when space is short."""
        try:
            for folder in (self.path, *(self.path / name for name in _FOLDERS)):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._try_writing()
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise sentence_for(error, self.path) from error
        if free < NEEDED_BYTES:
            raise StartError(
                f"The disk that holds {self.path} has {free // 1_000_000} MB left and "
                f"{NEEDED_BYTES // 1_000_000} MB are needed: free some space, or set DARKROOM_HOME "
                f"to a folder on another disk."
            )

    def _try_writing(self) -> None:
        probe = self.path / ".probe"
        probe.write_bytes(b"probe")
        probe.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home alone; the kernel lets go of it however we end."""
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise StartError(
                    f"Darkroom already runs on {self.path} (process {holder}): "
                    f"end it first, or set DARKROOM_HOME to another folder."
                ) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield

    def secret(self, name: str) -> str:
        """Return a secret that stays the same from start to start, made when first asked for."""
        path = self.path / "secrets" / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Write a file only we may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def sentence_for(error: OSError, path: Path) -> StartError:
    """Turn what the disk says into one sentence."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StartError(f"The disk that holds {path} is full: free some space and start again.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StartError(
            f"{path} cannot be written: change its permissions, or set DARKROOM_HOME to a folder "
            f"you may write."
        )
    reason = error.strerror or repr(error)
    return StartError(f"{error.filename or path} cannot be used: {reason}.")
