import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ALL = ("-k", "not no_server")
Start = Callable[..., "subprocess.Popen[str]"]

SAMPLE = """
import pytest

@pytest.mark.parametrize("number", range(4))
async def test_address(number, database, nats_settings, s3_settings):
    dsn = await database(None)
    with open({seen!r}, "a") as seen:
        stores = dsn.rpartition("/")[0], nats_settings.servers, s3_settings.endpoint
        seen.write(" ".join(stores) + "\\n")

def test_wait():
    import threading
    threading.Event().wait({wait})

def test_no_server():
    import psutil
    assert psutil.Process().children() == []
"""


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    return tmp_path / "seen"


@pytest.fixture
def start(tmp_path: Path, seen: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, wait: float = 0) -> subprocess.Popen[str]:
        (tmp_path / "test_sample.py").write_text(SAMPLE.format(seen=str(seen), wait=wait))
        (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *(arguments or ALL)]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def descendants(pid: int) -> list[psutil.Process]:
    children: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    return children


def until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    alive = psutil.wait_procs(processes, timeout=10)[1]
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("arguments", [ALL, (*ALL, "-n", "2")], ids=["alone", "workers"])
def test_one_run_shares_one_set_of_servers(
    start: Start, seen: Path, arguments: tuple[str, ...]
) -> None:
    run = start(*arguments)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
    lines = seen.read_text().splitlines()
    assert len(lines) == 4
    assert len(set(lines)) == 1


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_servers_end_with_the_run_however_it_ends(
    start: Start, seen: Path, ending: signal.Signals
) -> None:
    run = start(wait=60)
    deadline = time.monotonic() + 30
    while not (seen.exists() and len(seen.read_text().splitlines()) == 4):
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    processes = descendants(run.pid)
    names = {process.name() for process in processes}
    assert {"postgres", "nats-server", "rclone"} <= names
    os.kill(run.pid, ending)
    assert until_gone(processes) == []


def test_a_run_that_needs_no_server_starts_none(start: Start) -> None:
    run = start("-k", "no_server")
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 0, output
