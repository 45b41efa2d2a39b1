"""Children that run one task at a time and can be killed; a dead one fails its task only."""

import asyncio
import multiprocessing
import multiprocessing.forkserver
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Protocol, TypeVar

from pebble import ProcessExpired, ProcessPool

from darkroom.platform.errors import Unavailable
from darkroom.platform.telemetry.logs import get_logger
from darkroom.processor.engines.confinement import (
    Confinement,
    confine,
    missing_measures,
    renew_cpu_limit,
)

# A child that leaks a little in some decoder is replaced before it matters.
TASKS_PER_CHILD: Final = 50
# The parent's last word when a decoder neither ends nor burns processor time. Three times the
# processor time a task may take, so that a busy machine does not fail a picture that is fine.
WALL_SECONDS: Final = 30.0
# Longer than a child takes to start on a loaded machine, fork server included.
START_SECONDS: Final = 30.0
# The pool needs no time: its children die of SIGTERM at once.
_STOP_SECONDS: Final = 5.0
# SIGKILL is the kernel's, for memory: the pool itself sends SIGTERM. 255 is told of a child whose
# fork server has died, and it dies with that.
_ENDED_FROM_OUTSIDE: Final = frozenset({-signal.SIGKILL, 255})

T = TypeVar("T")
A = TypeVar("A")
log = get_logger()


class ChildDied(Exception):
    """The child ended in the middle of its task: a signal of its own, or an exit."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(f"the child ended with {exit_code}")


class ChildOverran(Exception):
    """The child used up the processor time of one task."""


class ChildStarved(Exception):
    """The child was ended from outside: for memory, or because it took too long.

    Its file may be to blame, and just as well a machine that is short of memory or stalls.
    """


class Engine(Protocol):
    """Runs a function somewhere it can do no harm."""

    async def run(self, function: Callable[[A], T], argument: A) -> T: ...


class Sandbox:
    """A pool of confined children; it is made again should it ever break as a whole."""

    def __init__(
        self,
        confinement: Confinement,
        *,
        slots: int,
        wall_seconds: float = WALL_SECONDS,
        tasks_per_child: int = TASKS_PER_CHILD,
    ) -> None:
        self._confinement = confinement
        self._slots = slots
        self._wall_seconds = wall_seconds
        self._tasks_per_child = tasks_per_child
        self._pool = self._open_pool()

    async def run(self, function: Callable[[A], T], argument: A) -> T:
        """Run one task in a child. Cancelling the call kills the child.

        Raises ChildDied, ChildOverran, ChildStarved, what the function raised, or Unavailable
        when no child can be had.
        """
        if not self._pool.active:
            log.warning("sandbox_reopened")
            self._pool = self._open_pool()
        try:
            async with asyncio.timeout(self._wall_seconds + START_SECONDS):
                future = self._pool.schedule(
                    _task,
                    args=(function, argument, self._confinement.cpu_seconds),
                    timeout=self._wall_seconds,
                )
                with _translated():
                    return await asyncio.wrap_future(future)
        except (BrokenExecutor, RuntimeError, TimeoutError) as error:
            raise Unavailable("No child process can be had.", reason=repr(error)) from error

    async def warm_up(self, preparation: Callable[[None], None]) -> None:
        """Start the children and let each load its decoders; log what does not confine them."""
        await asyncio.gather(*(self.run(preparation, None) for _ in range(self._slots)))
        for measure, reason in (await self.run(_report, None)).items():
            log.warning("confinement_missing", measure=measure, reason=reason)

    async def check(self) -> None:
        """Raise Unavailable while the pool is broken; the next task makes it again."""
        if not self._pool.active:
            raise Unavailable("The sandbox is down.")

    async def close(self) -> None:
        """Kill what runs, and wait until all children are gone."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(self._pool.join, _STOP_SECONDS)

    def _open_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._slots,
            max_tasks=self._tasks_per_child,
            initializer=confine,
            initargs=(self._confinement,),
            context=multiprocessing.get_context("forkserver"),
        )


@asynccontextmanager
async def open_sandbox(
    confinement: Confinement,
    *,
    slots: int,
    wall_seconds: float = WALL_SECONDS,
    preload: str,
    preparation: Callable[[None], None],
) -> AsyncIterator[Sandbox]:
    """Start a fork server that has the preloaded module and nothing else, and children from it."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([preload])
    multiprocessing.forkserver.ensure_running()
    sandbox = Sandbox(confinement, slots=slots, wall_seconds=wall_seconds)
    try:
        await sandbox.warm_up(preparation)
        yield sandbox
    finally:
        await sandbox.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ProcessExpired as error:
        if error.exitcode == -signal.SIGXCPU:
            raise ChildOverran("out of processor time") from error
        if error.exitcode in _ENDED_FROM_OUTSIDE:
            raise ChildStarved(f"the child ended with {error.exitcode}") from error
        raise ChildDied(error.exitcode) from error
    except TimeoutError as error:
        raise ChildStarved("out of time") from error


def _task(function: Callable[[A], T], argument: A, cpu_seconds: int) -> T:
    renew_cpu_limit(cpu_seconds)
    return function(argument)


def _report(_: None) -> dict[str, str]:
    return missing_measures()
