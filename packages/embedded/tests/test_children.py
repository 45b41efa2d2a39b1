import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from darkroom.embedded.children import Child, Command, spawn
from darkroom.embedded.logs import ChildLog

CommandFor = Callable[..., Command]


@pytest.fixture
def log(tmp_path: Path) -> ChildLog:
    return ChildLog(tmp_path / "child.log")


async def first_line(child: Child) -> str:
    async with asyncio.timeout(10):
        while not child.log.last_lines():
            await asyncio.sleep(0.01)
    return child.log.last_lines()[0]


async def test_both_outputs_land_in_the_log(
    python: CommandFor, log: ChildLog, tmp_path: Path
) -> None:
    child = await spawn(python("import sys; print('out'); sys.stderr.write('err')"), log)
    assert await child.wait() == 0
    assert (tmp_path / "child.log").read_text() == "out\nerr"


async def test_a_line_longer_than_any_buffer_is_written_whole(
    python: CommandFor, log: ChildLog, tmp_path: Path
) -> None:
    child = await spawn(python("print('x' * 300_000); print('after')"), log)
    assert await child.wait() == 0
    assert (tmp_path / "child.log").read_text() == "x" * 300_000 + "\nafter\n"


async def test_a_child_gets_no_environment_but_its_own(python: CommandFor, log: ChildLog) -> None:
    source = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    child = await spawn(python(source, environment={"ONE": "1"}), log)
    await child.wait()
    assert log.last_lines() == ("['ONE']",)


async def test_a_child_has_its_own_session(python: CommandFor, log: ChildLog) -> None:
    child = await spawn(python("import os; print(os.getpid() == os.getsid(0))"), log)
    await child.wait()
    assert log.last_lines() == ("True",)


async def test_a_child_that_ignores_the_request_is_killed(
    python: CommandFor, log: ChildLog
) -> None:
    source = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf');"
        "time.sleep(60)"
    )
    child = await spawn(python(source), log)
    await first_line(child)
    assert await child.stop(grace_seconds=0.2) == -signal.SIGKILL
    assert "did not stop" in log.last_lines()[-1]


async def test_what_a_child_started_goes_with_it(python: CommandFor, log: ChildLog) -> None:
    source = (
        "import subprocess, sys, time;"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid);"
        "time.sleep(60)"
    )
    child = await spawn(python(source), log)
    grandchild = psutil.Process(int(await first_line(child)))
    await child.stop()
    psutil.wait_procs([grandchild], timeout=5)
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE


async def test_a_death_is_noticed_while_what_it_started_still_holds_the_pipe(
    python: CommandFor, log: ChildLog
) -> None:
    source = (
        "import os, subprocess, sys;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "os.kill(os.getpid(), 9)"
    )
    child = await spawn(python(source), log)
    async with asyncio.timeout(5):
        assert await child.wait() == -signal.SIGKILL
    child.kill()


async def test_a_program_that_is_not_there_says_so(log: ChildLog) -> None:
    child = await spawn(Command(("/no/such/program",)), log)
    assert await child.wait() == 77
    assert "/no/such/program cannot be run" in log.last_lines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
async def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    source = f"""
import asyncio, os, sys
from pathlib import Path
from darkroom.embedded.children import Command, spawn
from darkroom.embedded.logs import ChildLog
async def main():
    sleeper = Command((sys.executable, "-c", "import time; time.sleep(60)"))
    child = await spawn(sleeper, ChildLog(Path({str(tmp_path / "log")!r})))
    await asyncio.sleep(0.3)
    print(child.pid, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
    parent = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", source], capture_output=True, check=False
    )
    orphan = int(parent.stdout)
    async with asyncio.timeout(5):
        while psutil.pid_exists(orphan) and (
            psutil.Process(orphan).status() != psutil.STATUS_ZOMBIE
        ):
            await asyncio.sleep(0.02)
    assert parent.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("kind", ["namespace", "drop"])
async def test_root_becomes_somebody_else_and_still_reaches_its_files(
    python: CommandFor, log: ChildLog, tmp_path: Path, kind: str
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("reached")
    source = f"import os; print(os.geteuid(), open({str(closed / 'file')!r}).read())"
    child = await spawn(python(source, identity=f"{kind}:1:1"), log)
    await child.wait()
    assert log.last_lines() == ("1 reached",)
