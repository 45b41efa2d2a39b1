import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from darkroom.embedded.console import Console
from darkroom.embedded.errors import ProgramFailed
from darkroom.embedded.home import Home
from darkroom.embedded.servers.program import NotReady
from darkroom.embedded.supervisor import LONGEST_WAIT_SECONDS, Supervisor, ending, wait_before
from darkroom.testing.programs import Script


class SilentScript(Script):
    async def check(self) -> None:
        raise NotReady("it never answers")


@pytest.fixture
async def supervisor(home: Home) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(home, Console())
    yield supervisor
    await supervisor.stop_all()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_child_is_started_again_and_said_to_be(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script("sleeper", tmp_path)
    await supervisor.start(script)
    first = script.pid
    os.kill(first, signal.SIGKILL)
    said = ""

    def is_back() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return "sleeper is back (restart 1)" in said

    await until(is_back)
    assert script.pid != first
    assert "! sleeper ended (killed by SIGKILL); see " in said
    assert "hello" not in said, "what it last said has nothing to do with being killed"


async def test_a_child_that_does_not_come_up_shows_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = SilentScript("broken", tmp_path, "print('no such table'); raise SystemExit(3)")
    with pytest.raises(ProgramFailed, match=r"(?s)broken ended with exit code 3; .*no such table"):
        await supervisor.start(script)


async def test_a_child_that_keeps_dying_is_tried_less_and_less_often(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await supervisor.start(Script("fickle", tmp_path, "import time; time.sleep(0.05)"))
    started = time.monotonic()
    said = ""

    def has_restarted_three_times() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return "(restart 3)" in said

    await until(has_restarted_three_times)
    # 0.2 + 0.4 + 0.8 seconds of waiting.
    assert time.monotonic() - started > 1.4


def test_the_wait_doubles_up_to_its_most() -> None:
    assert [wait_before(number) for number in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert wait_before(10_000) == LONGEST_WAIT_SECONDS


async def test_stopping_leaves_nobody_and_starts_nobody_again(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scripts = [Script(name, tmp_path) for name in ("one", "two", "three")]
    await asyncio.gather(*(supervisor.start(script) for script in scripts))
    pids = [script.pid for script in scripts]
    await supervisor.stop(["one", "unknown"])
    assert [is_alive(pid) for pid in pids] == [False, True, True]
    await supervisor.stop_all()
    assert not any(is_alive(pid) for pid in pids)
    assert "!" not in capsys.readouterr().out


async def test_killing_all_does_not_wait_for_the_deaf(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    body = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    script = Script("deaf", tmp_path, body)
    await supervisor.start(script)
    await asyncio.sleep(0.2)
    stopping = asyncio.create_task(supervisor.stop_all())
    await asyncio.sleep(0.1)
    assert not stopping.done()
    supervisor.kill_all()
    await asyncio.wait_for(stopping, 2)


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (70, "exit code 70"), (-9, "killed by SIGKILL")]
)
def test_an_ending_is_told_in_words(code: int, words: str) -> None:
    assert ending(code) == words
