import asyncio
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import psutil
import pytest
import pytest_asyncio

from darkroom.processor import pipeline
from darkroom.processor.domain.verdict import Verdict
from darkroom.processor.engines.confinement import Confinement
from darkroom.processor.engines.sandbox import (
    ChildDied,
    ChildOverran,
    ChildStarved,
    Sandbox,
    open_sandbox,
)
from darkroom.processor.engines.scratch import Scratch, open_scratch
from darkroom.testing import pictures

SECRET_NAME = "PROCESSOR_S3__SECRET_KEY"


@pytest.fixture
def scratch(tmp_path: Path) -> Any:
    with open_scratch(tmp_path / "fallback") as scratch:
        yield scratch


@pytest_asyncio.fixture
async def sandbox(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    monkeypatch.setenv(SECRET_NAME, "hush-hush")
    async with open_sandbox(
        Confinement(scratch.root, cpu_seconds=2),
        slots=1,
        wall_seconds=1.5,
        preload=pipeline.__name__,
        preparation=pipeline.prepare,
    ) as sandbox:
        yield sandbox


async def test_a_task_comes_back_within_milliseconds(sandbox: Sandbox) -> None:
    assert await sandbox.run(abs, -3) == 3


async def test_a_segfault_fails_its_task_only_up_19(sandbox: Sandbox) -> None:
    with pytest.raises(ChildDied) as died:
        await sandbox.run(ctypes.string_at, 0)
    assert died.value.exit_code == -signal.SIGSEGV
    assert await sandbox.run(abs, -3) == 3


async def test_a_sleeping_decoder_is_killed_at_its_wall_up_20(sandbox: Sandbox) -> None:
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    started = time.perf_counter()
    with pytest.raises(ChildStarved):
        await sandbox.run(time.sleep, 60)  # noqa: TID251 - in the child
    assert time.perf_counter() - started < 1.5 + 0.5
    assert not psutil.pid_exists(child)
    assert await sandbox.run(abs, -3) == 3


async def test_a_spinning_decoder_is_killed_for_its_processor_time_up_11(
    scratch: Scratch,
) -> None:
    confinement = Confinement(scratch.root, cpu_seconds=1)
    sandbox = Sandbox(confinement, slots=1, wall_seconds=10)
    try:
        with pytest.raises(ChildOverran, match="processor time"):
            await sandbox.run(sum, range(10**12))
    finally:
        await sandbox.close()


async def test_a_cancelled_call_kills_its_child(sandbox: Sandbox) -> None:
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    call = asyncio.create_task(sandbox.run(time.sleep, 60))  # noqa: TID251 - in the child
    await asyncio.sleep(0.2)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await asyncio.sleep(0.4)
    assert not psutil.pid_exists(child)


async def test_an_idle_child_that_is_killed_is_replaced_k_15(sandbox: Sandbox) -> None:
    os.kill(int(await sandbox.run(os.readlink, "/proc/self")), signal.SIGKILL)
    await asyncio.sleep(0.3)
    assert await sandbox.run(abs, -3) == 3


async def test_a_child_goes_with_its_fork_server_and_the_next_task_has_another(
    sandbox: Sandbox,
) -> None:
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    os.kill(psutil.Process(child).ppid(), signal.SIGKILL)
    await asyncio.sleep(0.3)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    assert await sandbox.run(abs, -3) == 3


async def test_a_fork_server_that_dies_under_a_task_does_not_blame_the_file(
    sandbox: Sandbox,
) -> None:
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    call = asyncio.create_task(sandbox.run(time.sleep, 60))  # noqa: TID251 - in the child
    await asyncio.sleep(0.2)
    os.kill(psutil.Process(child).ppid(), signal.SIGKILL)
    with pytest.raises(ChildStarved):
        await call


async def test_memory_beyond_the_limit_is_refused_to_the_child(sandbox: Sandbox) -> None:
    with pytest.raises(MemoryError):
        await sandbox.run(bytearray, 3_000_000_000)
    assert await sandbox.run(abs, -3) == 3


async def test_a_child_has_no_credentials_up_28(sandbox: Sandbox) -> None:
    assert await sandbox.run(os.getenv, SECRET_NAME) is None  # noqa: TID251 - in the child
    with pytest.raises(PermissionError):
        await sandbox.run(Path.read_bytes, Path(f"/proc/{os.getpid()}/environ"))


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (socket.create_connection, ("127.0.0.1", 9)),
        (subprocess.check_output, "true"),
        (Path.read_text, Path("/etc/passwd")),
        (Path.touch, Path("/tmp/outside-of-scratch")),  # noqa: S108 - refused
        (Path.read_text, Path(__file__)),
    ],
)
async def test_a_child_reaches_nothing_outside_up_28(
    function: Callable[[Any], Any], argument: object, sandbox: Sandbox
) -> None:
    with pytest.raises(PermissionError):
        await sandbox.run(function, argument)


async def test_a_child_cannot_signal_its_parent_up_28(sandbox: Sandbox) -> None:
    with pytest.raises(PermissionError):
        await sandbox.run(partial(os.kill, os.getpid()), 0)


async def test_a_child_is_the_first_to_go_when_memory_ends(sandbox: Sandbox) -> None:
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    score = Path(f"/proc/{child}/oom_score_adj").read_text("ascii")  # noqa: ASYNC240 - memory
    assert int(score) == 1_000


async def test_a_bomb_costs_a_child_next_to_nothing_up_06(
    sandbox: Sandbox, scratch: Scratch
) -> None:
    child = psutil.Process(int(await sandbox.run(os.readlink, "/proc/self")))
    with scratch.folder() as folder:
        (folder / "source").write_bytes(pictures.webp_bomb_40_bytes())
        request = pipeline.Request(folder / "source", folder, ())
        before = child.memory_info().rss
        started = time.perf_counter()
        answer = await sandbox.run(pipeline.develop, request)
        assert time.perf_counter() - started < 0.05
    assert answer.verdict is Verdict.TOO_LARGE
    assert child.memory_info().rss - before < 5_000_000


@pytest.mark.parametrize("kind", get_args(pictures.Format))
async def test_every_format_develops_behind_the_fences(
    kind: pictures.Format,
    sandbox: Sandbox,
    request_for: Callable[..., pipeline.Request],
    scratch: Scratch,
) -> None:
    request = request_for(pictures.picture(kind, 400, 300))
    with scratch.folder() as folder:
        shutil.copy(request.source, folder)
        inside = replace(request, source=folder / "source", folder=folder)
        answer = await sandbox.run(pipeline.develop, inside)
    assert answer.verdict is Verdict.OK, answer.detail


async def test_children_are_gone_after_closing(scratch: Scratch) -> None:
    sandbox = Sandbox(Confinement(scratch.root, cpu_seconds=2), slots=2)
    child = int(await sandbox.run(os.readlink, "/proc/self"))
    await sandbox.close()
    assert not psutil.pid_exists(child)


def test_scratch_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    with open_scratch(tmp_path) as first:
        parent = first.root.parent
        dead = parent / "darkroom-processor-dead"
        dead.mkdir()
        (dead / "lock").touch()
        with open_scratch(tmp_path) as second:
            assert not dead.exists()
            assert first.root.exists()
            assert second.root != first.root
    assert not first.root.exists()
