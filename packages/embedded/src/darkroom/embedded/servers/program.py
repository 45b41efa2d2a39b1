"""What a server is to whoever starts it, and the way one is started."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from darkroom.embedded.children import Child, Command, spawn
from darkroom.embedded.errors import ProgramFailed
from darkroom.embedded.logs import ChildLog

# PostgreSQL may have to replay its log after a crash; the others answer within a second.
READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.03


class NotReady(Exception):
    """Say that a server does not answer yet."""


class Program(Protocol):
    """Describe one server: how its directory is made, what is run, when it answers."""

    @property
    def name(self) -> str:
        """Return the name shown to people and used for the log."""
        ...

    async def prepare(self) -> Command:
        """Make what the server needs on disk, again and again without harm; return its command."""
        ...

    async def check(self) -> None:
        """Return when the server answers as it should; raise NotReady otherwise."""
        ...

    async def finish(self) -> None:
        """Do what can only be done once the server answers, again and again without harm."""
        ...


async def await_ready(program: Program, child: Child, *, seconds: float = READY_SECONDS) -> None:
    """Wait until a server answers; raises ProgramFailed when it ends or stays silent."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await program.check()
        except NotReady as reason:
            if not child.is_running:
                code = await child.wait()
                raise ProgramFailed(
                    program.name, f"ended with exit code {code}", child.log.last_lines()
                ) from None
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    program.name, f"did not answer ({reason})", child.log.last_lines()
                ) from None
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return


@asynccontextmanager
async def running(program: Program, log: Path) -> AsyncIterator[Child]:
    """Run one server for as long as the context is open."""
    command = await program.prepare()
    log.parent.mkdir(parents=True, exist_ok=True)
    child = await spawn(command, ChildLog(log))
    try:
        await await_ready(program, child)
        await program.finish()
        yield child
    finally:
        await child.stop()


async def run_once(command: Command, name: str) -> None:
    """Run a short command to its end; raises ProgramFailed with its last lines."""
    log = ChildLog(Path("/dev/null"))
    child = await spawn(command, log)
    try:
        code = await child.wait()
    finally:
        child.kill()
    if code != 0:
        raise ProgramFailed(name, f"ended with exit code {code}", log.last_lines())
