"""Children: programs that are ours, log to a file and never outlive us."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from darkroom.embedded.identity import ourselves
from darkroom.embedded.launch import __file__ as launch_script
from darkroom.embedded.logs import ChildLog

# A line longer than this is written in pieces; asyncio's own limit would end the reading.
_PIECE_BYTES: Final = 65_536
_LAST_WORDS_SECONDS: Final = 0.5
# After this a child that was asked to stop is killed.
STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Command:
    """Say what to run and how it ends.

    `death_signal` is what the kernel sends when we die, `stop_signal` is how we ask.
    `identity` is a text of `launch.py`.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    identity: str = field(default_factory=lambda: ourselves().text)
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class Child:
    """Hold one running process and the task that copies its output to the log."""

    def __init__(
        self, process: Process, command: Command, log: ChildLog, output: "_Output"
    ) -> None:
        self._process = process
        self._command = command
        self.log = log
        self._output = output
        self._pump = asyncio.create_task(_copy(output.reader, log))

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether the process has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Wait for the end and the last line; returns the exit code, negative for a signal."""
        code = await self._process.wait()
        # A grandchild may still hold the pipe; it gets this long for its last words.
        await asyncio.wait([self._pump], timeout=_LAST_WORDS_SECONDS)
        self._pump.cancel()
        self._output.transport.close()
        self.log.close()
        return code

    async def stop(self, *, grace_seconds: float = STOP_SECONDS) -> int:
        """Ask to stop, kill after the grace, and take along whatever the child left behind."""
        with suppress(ProcessLookupError):
            self._process.send_signal(self._command.stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), grace_seconds)
        except TimeoutError:
            self.log.write(f"killed: did not stop within {grace_seconds:g} s\n".encode())
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """End the child's whole process group at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def launch_arguments(command: Command) -> tuple[str, ...]:
    """Return the arguments that run a command by way of the launcher."""
    return (
        *(sys.executable, "-I", "-S", launch_script),
        *(str(os.getpid()), str(command.death_signal.value), command.identity),
        *command.argv,
    )


async def spawn(command: Command, log: ChildLog) -> Child:
    """Start a direct child in its own session, so that Ctrl-C on the console reaches only us."""
    output, ours = await _open_output()
    try:
        process = await asyncio.create_subprocess_exec(
            *launch_arguments(command),
            env=dict(command.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=ours,
            stderr=ours,
            start_new_session=True,
        )
    except BaseException:
        output.transport.close()
        raise
    finally:
        os.close(ours)
    return Child(process, command, log, output)


@dataclass(frozen=True, slots=True)
class _Output:
    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport


async def _open_output() -> tuple[_Output, int]:
    """Open a pipe of our own; return its end to read and the descriptor to write to.

    With asyncio's pipes a child that has died is only reported once whatever it forked has let go
    of them as well, and would not be started again until then.
    """
    ours, theirs = os.pipe()
    reader = asyncio.StreamReader(limit=_PIECE_BYTES)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", buffering=0)
    )
    return _Output(reader, transport), theirs


async def _copy(output: asyncio.StreamReader, log: ChildLog) -> None:
    while True:
        try:
            line = await output.readuntil()
        except asyncio.IncompleteReadError as error:
            log.write(error.partial)
            return
        except asyncio.LimitOverrunError:
            line = await output.read(_PIECE_BYTES)
        log.write(line)
