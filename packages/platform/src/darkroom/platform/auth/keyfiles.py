"""Secrets in files: made once with mode 0600, then read by every process that shares the path."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from darkroom.platform.errors import Broken

# Nobody writes a longer key or secret by hand; a wrong path must not read a video into memory.
MAX_BYTES: Final = 64 * 1024


class KeyFileError(Broken):
    """A key file cannot be read, made or understood."""


def load_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the file's bytes, first making the file where there is none.

    Safe when several processes start at once: all get the bytes of whichever was first. Raises
    KeyFileError when the file can neither be read nor made.
    """
    try:
        if not path.exists():
            _create(path, make())
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError as error:
        raise KeyFileError(f"The key file {path} cannot be used: {error.strerror}.") from error


def load_or_create_secret(path: Path, *, length: int = 32) -> bytes:
    """Return a random secret of at least `length` bytes, kept in a file as hexadecimal."""
    text = load_or_create(path, f"{secrets.token_hex(length)}\n".encode)
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError as error:
        raise KeyFileError(f"The key file {path} does not hold hexadecimal text.") from error
    if len(secret) < length:
        raise KeyFileError(f"The key file {path} holds fewer than {length} bytes.")
    return secret


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A temporary file is made with mode 0600; the link puts it in place complete or not at all,
    # and leaves a file that someone else has just made as it is.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        Path(temporary).unlink()
