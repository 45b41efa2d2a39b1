"""The supervisor: starts programs, starts again what dies, ends everything in order."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from darkroom.embedded.children import Child, spawn
from darkroom.embedded.console import Console
from darkroom.embedded.errors import StartError
from darkroom.embedded.home import Home, sentence_for
from darkroom.embedded.logs import ChildLog
from darkroom.embedded.servers.program import Program, await_ready

# A child that has just died is wanted back at once; one that keeps dying must not eat a core.
FIRST_WAIT_SECONDS: Final = 0.2
LONGEST_WAIT_SECONDS: Final = 15.0
# Having lived this long, a child is healthy again and its next death counts as the first.
STEADY_SECONDS: Final = 30.0
# Services let what is under way finish for eighteen seconds; a little more, then no more.
STOP_SECONDS: Final = 22.0


def wait_before(restart: int) -> float:
    """Return how long to wait before the n-th restart in a row, counting from 1."""
    # Doubled fewer times than a float can bear, however long a child keeps dying.
    return min(FIRST_WAIT_SECONDS * 2.0 ** min(restart - 1, 10), LONGEST_WAIT_SECONDS)


@dataclass(slots=True)
class _Ward:
    """Hold one program, its present child and the task that looks after it."""

    program: Program
    log: ChildLog
    child: Child | None = None
    watch: asyncio.Task[None] | None = None
    restarts: int = 0
    started_at: float = field(default_factory=time.monotonic)


class Supervisor:
    """Keep programs running until told to stop them."""

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._wards: dict[str, _Ward] = {}

    async def start(self, program: Program, *, remark: str = "") -> None:
        """Start a program, wait until it answers, and look after it from then on.

        Raises StartError when it does not come up: the first time, nothing is tried again.
        """
        ward = _Ward(program, ChildLog(self._home.log(program.name)))
        self._wards[program.name] = ward
        with self._console.step(program.name, remark):
            await self._launch(ward)
            await program.finish()
        ward.watch = asyncio.create_task(self._look_after(ward), name=program.name)

    async def stop(self, names: Sequence[str]) -> None:
        """Stop some of the programs side by side; those that never started are fine."""
        wards = [self._wards[name] for name in names if name in self._wards]
        await asyncio.gather(*(_stop(ward) for ward in wards))
        for ward in wards:
            del self._wards[ward.program.name]

    async def stop_all(self) -> None:
        """Stop whatever still runs."""
        await self.stop(tuple(self._wards))

    def kill_all(self) -> None:
        """Kill whatever still runs, for somebody who does not want to wait."""
        for ward in self._wards.values():
            if ward.child is not None:
                ward.child.kill()

    async def _launch(self, ward: _Ward) -> None:
        try:
            command = await ward.program.prepare()
            ward.child = await spawn(command, ward.log)
        except OSError as error:
            raise sentence_for(error, self._home.path) from error
        ward.started_at = time.monotonic()
        await await_ready(ward.program, ward.child)

    async def _look_after(self, ward: _Ward) -> None:
        while ward.child is not None:
            code = await ward.child.wait()
            # What it forked is of no use without it, and may hold its port.
            ward.child.kill()
            self._announce_death(ward, code)
            await self._bring_back(ward)

    def _announce_death(self, ward: _Ward, code: int) -> None:
        if time.monotonic() - ward.started_at > STEADY_SECONDS:
            ward.restarts = 0
        # Who was killed had nothing to say of it; what an error left behind is its last words.
        words = ward.log.last_lines()[-3:] if code > 0 else ()
        said = "".join(f"\n      {line}" for line in words)
        log = self._home.log(ward.program.name)
        self._console.warn(f"{ward.program.name} ended ({ending(code)}); see {log}{said}")

    async def _bring_back(self, ward: _Ward) -> None:
        name = ward.program.name
        while True:
            ward.restarts += 1
            await asyncio.sleep(wait_before(ward.restarts))
            try:
                await self._launch(ward)
            except StartError as error:
                self._console.warn(f"{name} does not come back (try {ward.restarts}): {error}")
                if ward.child is not None:
                    await ward.child.stop(grace_seconds=1)
            else:
                self._console.warn(f"{name} is back (restart {ward.restarts})")
                return


def ending(code: int) -> str:
    """Say how a process ended: by its own exit code or by a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


async def _stop(ward: _Ward) -> None:
    if ward.watch is not None:
        ward.watch.cancel()
        await asyncio.wait([ward.watch])
    if ward.child is not None:
        await ward.child.stop(grace_seconds=STOP_SECONDS)
